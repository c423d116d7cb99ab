import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKind } from '@wharf/kit';
import { openContentStore } from './fs-store.ts';

test('write() on a full disk says so and gives the space back', async () => {
  const root = mkdtempSync(join(tmpdir(), 'wharf-full-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', root]);
  try {
    const store = await openContentStore({ root });
    const before = statfsSync(root).bfree;
    const writer = await store.writer();
    await assert.rejects(
      async () => {
        for (let i = 0; i < 8; i += 1) await writer.write(Buffer.alloc(1 << 20, i));
        await writer.commit();
      },
      (error) => isKind(error, 'resource-exhausted') && /no space left on device/.test(error.message),
    );
    await writer.abort();
    assert.equal(statfsSync(root).bfree, before);
    assert.deepEqual(readdirSync(join(root, 'ingest')), []);
    assert.equal((await store.put(Buffer.from('fits'))).sizeBytes, 4);
  } finally {
    execFileSync('umount', [root]);
    rmdirSync(root);
  }
});
