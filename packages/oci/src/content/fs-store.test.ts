import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openContentStore } from './fs-store.ts';
import { contentStoreSuite } from './testsuite.ts';

async function makeRoot(): Promise<{ root: string } & AsyncDisposable> {
  const root = await mkdtemp(join(tmpdir(), 'wharf-content-'));
  return { root, [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }) };
}

contentStoreSuite('openContentStore()', async () => {
  const { root, ...rest } = await makeRoot();
  return { store: await openContentStore({ root }), ...rest };
});

test('openContentStore() removes what writers left and keeps young resumable bytes', async () => {
  await using dir = await makeRoot();
  const ingest = join(dir.root, 'ingest');
  await mkdir(ingest, { recursive: true });
  await writeFile(join(ingest, 'deadbeef'), 'x');
  await writeFile(join(ingest, 'resume-young'), 'x');
  await writeFile(join(ingest, 'resume-old'), 'x');
  await utimes(join(ingest, 'resume-old'), 1, 1);
  await openContentStore({ root: dir.root });
  assert.deepEqual(await readdir(ingest), ['resume-young']);
});

test('openContentStore() finds no half blob after kill -9 of a writer', async () => {
  await using dir = await makeRoot();
  const script = `
    import { openContentStore } from ${JSON.stringify(new URL('./fs-store.ts', import.meta.url).href)};
    const store = await openContentStore({ root: ${JSON.stringify(dir.root)} });
    await store.put(Buffer.from('whole'));
    const writer = await store.writer();
    for (let i = 0; i < 4; i += 1) await writer.write(Buffer.alloc(1 << 20));
    console.log('writing');
    setInterval(() => {}, 1000);
  `;
  const program = join(dir.root, 'child.mjs');
  await writeFile(program, script);
  const child = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  await Promise.race([once(child.stdout, 'data'), closed]);
  child.kill('SIGKILL');
  await closed;
  assert.equal((await readdir(join(dir.root, 'ingest'))).length, 1);
  const store = await openContentStore({ root: dir.root });
  assert.deepEqual(await readdir(join(dir.root, 'ingest')), []);
  const blobs = await Array.fromAsync(store.list());
  assert.equal(blobs.length, 1);
  assert.equal(blobs[0]?.sizeBytes, 5);
});
