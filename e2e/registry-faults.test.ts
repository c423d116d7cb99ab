import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { TestRegistry } from './lib/registry.ts';

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Pushes an image of one layer; the statuses of its three steps, as far as it came. */
async function push(registry: TestRegistry, tag: string): Promise<readonly (number | string)[]> {
  const said: (number | string)[] = [];
  const [config, layer] = [Buffer.from('{}'), randomBytes(300_000)];
  const url = `${registry.url}/v2/team/app`;
  try {
    for (const bytes of [config, layer]) {
      const begun = await fetch(`${url}/blobs/uploads/`, { method: 'POST' });
      if (begun.status !== 202) return [...said, begun.status];
      const place = new URL(begun.headers.get('location') ?? '', registry.url);
      place.searchParams.set('digest', digestOf(bytes));
      const done = await fetch(place, { method: 'PUT', body: new Uint8Array(bytes) });
      said.push(done.status);
      if (done.status !== 201) return said;
    }
    const descriptor = (bytes: Uint8Array) => ({ mediaType: 'x/y', digest: digestOf(bytes), size: bytes.length });
    const manifest = { schemaVersion: 2, mediaType: MANIFEST, config: descriptor(config), layers: [descriptor(layer)] };
    const body = JSON.stringify(manifest);
    const put = await fetch(`${url}/manifests/${tag}`, { method: 'PUT', body, headers: { 'content-type': MANIFEST } });
    return [...said, put.status];
  } catch (error) {
    return [...said, String(error)];
  }
}

/** Pulls it whole and compares the digests. */
async function pull(registry: TestRegistry, tag: string): Promise<void> {
  const url = `${registry.url}/v2/team/app`;
  const answer = await fetch(`${url}/manifests/${tag}`, { headers: { accept: MANIFEST } });
  assert.equal(answer.status, 200, tag);
  const { config, layers } = (await answer.json()) as Record<'config', { digest: string }> & {
    layers: { digest: string }[];
  };
  for (const { digest } of [config, ...layers]) {
    const blob = await fetch(`${url}/blobs/${digest}`);
    assert.equal(digestOf(Buffer.from(await blob.arrayBuffer())), digest, tag);
  }
}

test('a disk that fails to sync, the database included, makes pushes fail, and every acknowledged image is there afterwards', async () => {
  await using registry = await TestRegistry.start();
  assert.deepEqual(await push(registry, 'before'), [201, 201, 201]);
  const kept = ['before'];
  const refusals: (number | string)[] = [];
  // The kernel's own refusal at system calls of every thread: SQLite's as well as ours.
  for (const [index, from] of [3, 4, 6].entries()) {
    await registry.stop();
    const inject = `inject=fsync,fdatasync:error=EIO:when=${from}+`;
    await registry.start(['strace', '-D', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=fsync,fdatasync', '-e', inject]);
    for (let count = 0; count < 12; count += 1) {
      const tag = `t${index}-${count}`;
      const said = await push(registry, tag);
      if (said.length === 3 && said.every((status) => status === 201)) kept.push(tag);
      else refusals.push(said.at(-1) ?? '');
    }
    for (const tag of kept) await pull(registry, tag);
    await registry.kill();
    await registry.start([]);
    for (const tag of kept) await pull(registry, tag);
  }
  assert.ok(kept.length > 1, 'some were pushed before the disk failed');
  assert.ok(refusals.length > 6, 'the disk did fail');
  for (const status of refusals) assert.match(String(status), /^5\d\d$/);
  assert.deepEqual(await push(registry, 'after'), [201, 201, 201]);
});
