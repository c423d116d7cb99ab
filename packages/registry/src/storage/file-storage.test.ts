import assert from 'node:assert/strict';
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { link, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { isKind, parseDigest } from '@wharf/kit';
import { type FileOperations, realFiles } from './file-operations.ts';
import { openFileStorage } from './file-storage.ts';
import { storageSuite } from './testsuite.ts';

const scratch = await mkdtemp(join(tmpdir(), 'wharf-file-storage-'));
after(() => rm(scratch, { recursive: true, force: true }));
const newRoot = (): string => join(scratch, randomUUID());

storageSuite('openFileStorage()', async () => {
  const root = newRoot();
  return { storage: await openFileStorage({ root }), reopen: () => openFileStorage({ root }) };
});

const failure = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code });
const bytes = randomBytes(600_000);
const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);

/** Each operation that may fail, how, and what the client hears of it. */
const FAULTS: readonly (readonly [string, Partial<FileOperations>, 'resource-exhausted' | 'internal'])[] = [
  ['a full disk', { write: () => Promise.reject(failure('ENOSPC')) }, 'resource-exhausted'],
  ['a disk that takes nothing more', { write: async () => 0 }, 'resource-exhausted'],
  ['a write error', { write: () => Promise.reject(failure('EIO')) }, 'internal'],
  ['a failed fsync', { datasync: () => Promise.reject(failure('EIO')) }, 'internal'],
  ['no room at the fsync', { datasync: () => Promise.reject(failure('ENOSPC')) }, 'resource-exhausted'],
  ['a failed rename', { rename: () => Promise.reject(failure('EIO')) }, 'internal'],
  ['a failed fsync of the directory', { syncDirectory: () => Promise.reject(failure('EIO')) }, 'internal'],
];

for (const [what, operations, kind] of FAULTS) {
  test(`commit() and put() acknowledge nothing after ${what}, and leave no half blob`, async () => {
    const root = newRoot();
    const storage = await openFileStorage({ root, files: { ...realFiles, ...operations } });
    const upload = await storage.upload(randomUUID(), 'sha256');
    await assert.rejects(
      async () => {
        await upload.write(Buffer.from(bytes));
        await upload.commit(digest);
      },
      (error) => isKind(error, kind),
    );
    if (operations.write === undefined)
      await assert.rejects(storage.put(digest, bytes), (error) => isKind(error, kind));
    await upload.discard();
    assert.deepEqual(await readdir(join(root, 'ingest')), []);
    // What the directory's fsync did not confirm may be there; it is whole then.
    const stored = await (await openFileStorage({ root })).stat(digest);
    if (what !== 'a failed fsync of the directory') assert.equal(stored, undefined);
    else assert.equal(stored?.sizeBytes, bytes.length);
  });
}

test('commit() after a failed fsync in the midst does not try its luck with a second one', async () => {
  let calls = 0;
  const datasync: FileOperations['datasync'] = async (file) => {
    calls += 1;
    if (calls === 1) throw failure('EIO');
    await file.datasync();
  };
  const storage = await openFileStorage({ root: newRoot(), files: { ...realFiles, datasync } });
  const upload = await storage.upload(randomUUID(), 'sha256');
  const hash = createHash('sha256');
  await assert.rejects(
    async () => {
      for (let chunk = 0; chunk < 40; chunk += 1) {
        const part = randomBytes(1024 * 1024);
        hash.update(part);
        await upload.write(part);
      }
      await upload.commit(parseDigest(`sha256:${hash.digest('hex')}`));
    },
    (error) => isKind(error, 'internal'),
  );
  await upload.discard();
  assert.equal(calls, 1);
});

test('openFileStorage() removes what interrupted writers of small blobs left, and keeps half uploads', async () => {
  const root = newRoot();
  const id = randomUUID();
  const upload = await (await openFileStorage({ root })).upload(id, 'sha256');
  await upload.write(randomBytes(10));
  await upload.park();
  await writeFile(join(root, 'ingest', 'small-abc'), 'half');
  const storage = await openFileStorage({ root });
  assert.deepEqual(await readdir(join(root, 'ingest')), [`upload-${id}`]);
  assert.deepEqual(await storage.listUploads(), [id]);
});

test('adopt() takes over a file without moving its bytes', async () => {
  const root = newRoot();
  const storage = await openFileStorage({ root });
  const own = join(scratch, randomUUID());
  await writeFile(own, bytes);
  assert.deepEqual(await storage.adopt(digest, own), { digest, sizeBytes: bytes.length });
  assert.deepEqual(await storage.adopt(digest, own), { digest, sizeBytes: bytes.length });
  assert.equal((await stat(own)).nlink, 2);
  await storage.delete(digest);
  assert.equal((await stat(own)).nlink, 1);
  assert.equal(await storage.adopt(digest, join(scratch, 'missing')), undefined);
  await link(own, `${own}.2`);
});
