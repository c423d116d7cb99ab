import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type Digest, parseDigest } from '@wharf/kit';
import { codeOf } from '../errors.ts';
import type { Algorithm, BlobStorage } from './storage.ts';

/** A backend under test. `reopen` ends it as a crash of the process would and opens what it left. */
export interface StorageUnderTest {
  readonly storage: BlobStorage;
  reopen(): Promise<BlobStorage>;
}

const digestOf = (bytes: Uint8Array, algorithm: Algorithm = 'sha256'): Digest =>
  parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`);

let serial = 0;
const newId = (): string => {
  serial += 1;
  return `00000000-0000-4000-8000-${String(serial).padStart(12, '0')}`;
};

async function contentOf(storage: BlobStorage, digest: Digest, range?: { start: number; endExclusive: number }) {
  await using source = await storage.open(digest, range);
  const parts: Buffer[] = [];
  for (;;) {
    const buffer = Buffer.alloc(1000);
    const count = await source.read(buffer);
    if (count === 0) return Buffer.concat(parts);
    parts.push(buffer.subarray(0, count));
  }
}

/** What every backend has to do; the contract is in storage.ts. */
export function storageSuite(name: string, open: () => Promise<StorageUnderTest>): void {
  const isCode = (code: string) => (error: unknown) => codeOf(error) === code;

  for (const algorithm of ['sha256', 'sha512'] as const) {
    for (const bytes of [Buffer.alloc(0), randomBytes(1000), randomBytes(900_000)]) {
      test(`${name}: upload() keeps ${bytes.length} bytes by ${algorithm}`, async () => {
        const { storage, reopen } = await open();
        const digest = digestOf(bytes, algorithm);
        const upload = await storage.upload(newId(), algorithm);
        for (let at = 0; at < bytes.length; at += 300_000)
          await upload.write(Buffer.from(bytes.subarray(at, at + 300_000)));
        assert.equal(upload.sizeBytes, bytes.length);
        assert.equal(await storage.stat(digest), undefined);
        assert.deepEqual(await upload.commit(digest), { digest, sizeBytes: bytes.length });
        const again = await reopen();
        assert.deepEqual(await again.stat(digest), { digest, sizeBytes: bytes.length });
        assert.deepEqual(await contentOf(again, digest), bytes);
        assert.deepEqual(await again.listUploads(), []);
      });
    }
  }

  test(`${name}: follow() reads along, and gives the last byte only when the blob is whole`, async (t) => {
    const { storage } = await open();
    const bytes = randomBytes(2_500_000);
    const upload = await storage.upload(newId(), 'sha256');
    if (upload.follow === undefined) {
      t.skip('this storage cannot show half blobs');
      return;
    }
    const whole = Promise.withResolvers<void>();
    const range = { start: 100, endExclusive: bytes.length, sizeBytes: bytes.length, whole: whole.promise };
    await using source = await upload.follow(range);
    const parts: Buffer[] = [];
    const readTo = async (end: number): Promise<void> => {
      for (let at = 100 + Buffer.concat(parts).length; at < end; ) {
        const buffer = Buffer.alloc(300_000);
        const count = await source.read(buffer);
        if (count === 0) return;
        parts.push(buffer.subarray(0, count));
        at += count;
      }
    };
    for (let at = 0; at < bytes.length; at += 250_000)
      await upload.write(Buffer.from(bytes.subarray(at, at + 250_000)));
    await readTo(1_000_000);
    const rest = readTo(bytes.length);
    await upload.commit(digestOf(bytes));
    assert.ok(Buffer.concat(parts).length < bytes.length - 100);
    whole.resolve();
    await rest;
    assert.deepEqual(Buffer.concat(parts), bytes.subarray(100));
  });

  test(`${name}: follow() ends with what kept the blob from becoming whole`, async (t) => {
    const { storage } = await open();
    const upload = await storage.upload(newId(), 'sha256');
    if (upload.follow === undefined) {
      t.skip('this storage cannot show half blobs');
      return;
    }
    const whole = Promise.reject(new Error('the other side has gone'));
    whole.catch(() => {});
    await using source = await upload.follow({ start: 0, endExclusive: 10, sizeBytes: 10, whole });
    await assert.rejects(source.read(Buffer.alloc(10)), /the other side has gone/);
    await upload.discard();
  });

  test(`${name}: commit() finds that the digest is of another algorithm than the one begun with`, async () => {
    const { storage } = await open();
    const bytes = randomBytes(400_000);
    const upload = await storage.upload(newId(), 'sha256');
    await upload.write(Buffer.from(bytes));
    const digest = digestOf(bytes, 'sha512');
    assert.deepEqual(await upload.commit(digest), { digest, sizeBytes: bytes.length });
  });

  test(`${name}: commit() refuses and drops bytes that have another digest`, async () => {
    const { storage } = await open();
    for (const size of [10, 500_000]) {
      const upload = await storage.upload(newId(), 'sha256');
      await upload.write(randomBytes(size));
      await assert.rejects(upload.commit(digestOf(Buffer.from('other'))), isCode('DIGEST_INVALID'));
      assert.equal(await storage.stat(digestOf(Buffer.from('other'))), undefined);
      assert.deepEqual(await storage.listUploads(), []);
    }
  });

  test(`${name}: a parked upload goes on, also after a crash`, async () => {
    const { storage, reopen } = await open();
    const bytes = randomBytes(700_000);
    const id = newId();
    const first = await storage.upload(id, 'sha256');
    await first.write(Buffer.from(bytes.subarray(0, 400_000)));
    await first.park();
    const again = await reopen();
    assert.deepEqual(await again.listUploads(), [id]);
    const second = await again.upload(id, 'sha256');
    assert.equal(second.sizeBytes, 400_000);
    await second.write(Buffer.from(bytes.subarray(400_000)));
    await second.commit(digestOf(bytes));
    assert.deepEqual(await contentOf(again, digestOf(bytes)), bytes);
  });

  test(`${name}: discard() drops the bytes, as often as it is called`, async () => {
    const { storage } = await open();
    const id = newId();
    const upload = await storage.upload(id, 'sha256');
    await upload.write(randomBytes(10));
    await upload.discard();
    await upload.discard();
    await storage.discardUpload(id);
    assert.deepEqual(await storage.listUploads(), []);
  });

  test(`${name}: put(), read(), open() of a part, list() and delete()`, async () => {
    const { storage } = await open();
    const bytes = randomBytes(5000);
    const digest = digestOf(bytes);
    await storage.put(digest, bytes);
    await storage.put(digest, bytes);
    assert.deepEqual(await storage.read(digest), bytes);
    assert.deepEqual(await contentOf(storage, digest, { start: 100, endExclusive: 2300 }), bytes.subarray(100, 2300));
    const found: unknown[] = [];
    for await (const each of storage.list()) found.push(each);
    assert.deepEqual(found, [{ digest, sizeBytes: 5000 }]);
    await storage.delete(digest);
    await storage.delete(digest);
    assert.equal(await storage.stat(digest), undefined);
    await assert.rejects(storage.read(digest), isCode('BLOB_UNKNOWN'));
    await assert.rejects(storage.open(digest), isCode('BLOB_UNKNOWN'));
  });
}
