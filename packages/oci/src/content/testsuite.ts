import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { type Digest, isKind, parseDigest } from '@wharf/kit';
import type { BlobInfo, ContentStore } from './content-store.ts';

export interface ContentStoreFixture extends AsyncDisposable {
  readonly store: ContentStore;
}

/** The behaviour every content store must show; each implementation runs it with a factory of its own. */
export function contentStoreSuite(name: string, make: () => Promise<ContentStoreFixture>): void {
  describe(`${name} is a content store`, () => {
    readingTests(make);
    writingTests(make);
    resumeTests(make);
  });
}

/** The sha256 digest of some bytes. */
export function digestOf(bytes: Uint8Array): Digest {
  return parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`);
}

function readingTests(make: () => Promise<ContentStoreFixture>): void {
  test('put() stores bytes under their digest', async () => {
    await using fixture = await make();
    const { store } = fixture;
    const info = await store.put(Buffer.from('hello'));
    assert.deepEqual(info, { digest: digestOf(Buffer.from('hello')), sizeBytes: 5 });
    assert.equal((await store.read(info.digest)).toString(), 'hello');
    assert.deepEqual(await store.put(Buffer.from('hello')), info);
    assert.deepEqual(await collect(store), [info]);
  });

  test('open() streams a range', async () => {
    await using fixture = await make();
    const { store } = fixture;
    const { digest } = await store.put(Buffer.from('0123456789'));
    const range = async (start: number, endExclusive?: number) =>
      (
        await buffer(await store.open(digest, endExclusive === undefined ? { start } : { start, endExclusive }))
      ).toString();
    assert.equal(await range(0), '0123456789');
    assert.equal(await range(3), '3456789');
    assert.equal(await range(3, 5), '34');
    assert.equal(await range(5, 5), '');
    assert.equal(await range(8, 100), '89');
  });

  test('open() and read() say not-found', async () => {
    await using fixture = await make();
    const missing = digestOf(Buffer.from('missing'));
    await assert.rejects(fixture.store.open(missing), (error) => isKind(error, 'not-found'));
    await assert.rejects(fixture.store.read(missing), (error) => isKind(error, 'not-found'));
    assert.equal(await fixture.store.stat(missing), undefined);
  });

  test('read() refuses a blob past its limit', async () => {
    await using fixture = await make();
    const { digest } = await fixture.store.put(Buffer.alloc(100));
    await assert.rejects(fixture.store.read(digest, 99), (error) => isKind(error, 'resource-exhausted'));
    assert.equal((await fixture.store.read(digest, 100)).length, 100);
  });

  test('delete() is idempotent', async () => {
    await using fixture = await make();
    const { digest } = await fixture.store.put(Buffer.from('x'));
    await fixture.store.delete(digest);
    await fixture.store.delete(digest);
    assert.equal(await fixture.store.stat(digest), undefined);
  });
}

function writingTests(make: () => Promise<ContentStoreFixture>): void {
  for (const sizeBytes of [0, 1, 1024 * 1024, 5 * 1024 * 1024 + 17]) {
    test('writeOwned() stores chunks and lets go of their memory', async () => {
      await using fixture = await make();
      await using writer = await fixture.store.writer();
      const chunks = [1, 2, 3].map((value) => new Uint8Array(700_000).fill(value));
      const bytes = Buffer.concat(chunks);
      for (const chunk of chunks) await writer.writeOwned(chunk);
      const info = await writer.commit({ digest: digestOf(bytes) });
      assert.ok(bytes.equals(await fixture.store.read(info.digest)));
      assert.ok(chunks.every(({ buffer }) => buffer.detached));
    });

    test(`commit() stores ${sizeBytes} bytes whole`, async () => {
      await using fixture = await make();
      const bytes = pattern(sizeBytes);
      await using writer = await fixture.store.writer();
      for (let at = 0; at < bytes.length; at += 65_521) await writer.write(bytes.subarray(at, at + 65_521));
      assert.equal(writer.sizeBytes, sizeBytes);
      const info = await writer.commit({ digest: digestOf(bytes), sizeBytes });
      assert.ok((await fixture.store.read(info.digest, sizeBytes)).equals(bytes));
    });
  }

  test('commit() refuses another digest or size and leaves nothing', async () => {
    await using fixture = await make();
    const { store } = fixture;
    const wrong = await store.writer();
    await wrong.write(Buffer.from('abc'));
    await assert.rejects(wrong.commit({ digest: digestOf(Buffer.from('abd')) }), (error) => isKind(error, 'data-loss'));
    const short = await store.writer();
    await short.write(Buffer.from('abc'));
    await assert.rejects(short.commit({ sizeBytes: 4 }), (error) => isKind(error, 'data-loss'));
    assert.deepEqual(await collect(store), []);
  });

  test('abort() leaves nothing, and is nothing after commit()', async () => {
    await using fixture = await make();
    const { store } = fixture;
    const dropped = await store.writer();
    await dropped.write(Buffer.from('abc'));
    await dropped.abort();
    await dropped.abort();
    assert.deepEqual(await collect(store), []);
    const kept = await store.writer();
    await kept.write(Buffer.from('abc'));
    const info = await kept.commit();
    await kept.abort();
    assert.deepEqual(await collect(store), [info]);
  });

  test('writer() hashes with sha512 when asked', async () => {
    await using fixture = await make();
    const writer = await fixture.store.writer({ algorithm: 'sha512' });
    await writer.write(Buffer.from('abc'));
    const { digest } = await writer.commit();
    assert.equal(digest, `sha512:${createHash('sha512').update('abc').digest('hex')}`);
    assert.equal((await fixture.store.read(digest)).toString(), 'abc');
  });

  test('writer() serves many writers of one content at once', async () => {
    await using fixture = await make();
    const bytes = pattern(2 * 1024 * 1024);
    const infos = await Promise.all(
      Array.from({ length: 8 }, async () => {
        await using writer = await fixture.store.writer();
        await writer.write(bytes);
        return await writer.commit();
      }),
    );
    assert.equal(new Set(infos.map((info) => info.digest)).size, 1);
    assert.equal((await collect(fixture.store)).length, 1);
  });
}

function resumeTests(make: () => Promise<ContentStoreFixture>): void {
  test('writer() goes on where an aborted writer of the same key stopped', async () => {
    await using fixture = await make();
    const bytes = pattern(3 * 1024 * 1024);
    const first = await fixture.store.writer({ resumeKey: 'a' });
    await first.write(bytes.subarray(0, 2_000_000));
    await first.abort();
    const second = await fixture.store.writer({ resumeKey: 'a' });
    assert.equal(second.sizeBytes, 2_000_000);
    await second.write(bytes.subarray(2_000_000));
    const info = await second.commit({ digest: digestOf(bytes) });
    assert.ok((await fixture.store.read(info.digest)).equals(bytes));
    const third = await fixture.store.writer({ resumeKey: 'a' });
    assert.equal(third.sizeBytes, 0);
    await third.abort();
  });

  test('writer() refuses a second writer of the same key', async () => {
    await using fixture = await make();
    await using first = await fixture.store.writer({ resumeKey: 'a' });
    await assert.rejects(fixture.store.writer({ resumeKey: 'a' }), (error) => isKind(error, 'unavailable'));
    await first.abort();
    const second = await fixture.store.writer({ resumeKey: 'a' });
    await second.abort();
  });

  test('commit() drops the bytes of a resumed blob with a wrong digest', async () => {
    await using fixture = await make();
    const first = await fixture.store.writer({ resumeKey: 'a' });
    await first.write(Buffer.from('bad'));
    await assert.rejects(first.commit({ digest: digestOf(Buffer.from('good')) }), (error) =>
      isKind(error, 'data-loss'),
    );
    const second = await fixture.store.writer({ resumeKey: 'a' });
    assert.equal(second.sizeBytes, 0);
    await second.abort();
  });
}

async function collect(store: ContentStore): Promise<BlobInfo[]> {
  const all: BlobInfo[] = [];
  for await (const info of store.list()) all.push(info);
  return all;
}

function pattern(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let index = 0; index < sizeBytes; index += 1) bytes[index] = (index * 31 + (index >> 8)) & 0xff;
  return bytes;
}
