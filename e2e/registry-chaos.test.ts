import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { test } from 'node:test';
import { nullLogger } from '../packages/kit/src/index.ts';
import { openRegistry } from '../packages/registry/src/index.ts';
import { delay } from '../scripts/lib/delay.ts';
import { TestRegistry } from './lib/registry.ts';
import { RegistryCrowd } from './lib/registry-crowd.ts';

/** More of them for a night's run. */
const ROUNDS = Number(process.env['WHARF_CHAOS_ROUNDS'] ?? 14);

/** Collections run all the time, and leases end at once: whatever they can break, they break here. */
const settings = { graceSeconds: 0.3, collectEverySeconds: 0.05, uploadTtlSeconds: 0.5, logLevel: 'warn' };

test('a registry killed at any moment keeps every acknowledged image and nothing else', async (t) => {
  // A killed process loses nothing that the kernel has, so memory serves as the disk, and there is time for ten times the pushes.
  const root = mkdtempSync('/dev/shm/wharf-chaos-');
  t.after(() => rmSync(root, { recursive: true, force: true }));
  await using registry = await TestRegistry.start({ settings, root });
  const crowd = new RegistryCrowd(registry.url);
  for (let round = 0; round < ROUNDS; round += 1) {
    const stop = new AbortController();
    const working = crowd.work(12, stop.signal);
    await delay(100 + Math.random() * 600);
    await registry.kill();
    stop.abort();
    await working;
    await registry.start();
    if (round % 3 === 2 || round === ROUNDS - 1) await crowd.audit();
    assert.deepEqual(crowd.problems, [], `round ${round}\n${registry.log.slice(-2000)}`);
  }
  t.diagnostic(`${crowd.acknowledged} pushes and ${crowd.deleted} deletions over ${ROUNDS} kills`);
  await registry.kill();
  await auditStorage(registry.root);
});

/** Every file is whole and needed, every document has its files, no half upload is left. */
async function auditStorage(root: string): Promise<void> {
  const registry = await openRegistry({ root, version: 'test', log: nullLogger, graceMs: 0, uploadTtlMs: -1 });
  try {
    await registry.collect();
    const { catalog, storage } = registry.context;
    const { damaged, blobs } = await registry.verify();
    assert.deepEqual(damaged, []);
    assert.ok(blobs > 0);
    for await (const { digest } of storage.list()) assert.ok(catalog.usersOf(digest).size > 0, `${digest} is unneeded`);
    for (const { key } of catalog.links.list()) {
      const [repository = '', digest = ''] = key.split('@');
      assert.ok(catalog.isNeeded(repository, digest as never), `${key} is unneeded`);
    }
    assert.deepEqual(await storage.listUploads(), []);
    assert.equal(catalog.uploads.size, 0);
  } finally {
    await registry.close();
  }
}
