import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isKind, WharfError } from '@wharf/kit';
import { RANGES_FROM_BYTES } from './limits.ts';
import { testClient } from './test-client.ts';
import { TestRegistry } from './test-registry.ts';

const partials = (root: string): readonly string[] => readdirSync(join(root, 'ingest'));

test('fetch() takes a broken download up where it ended, also in another process', async () => {
  const blob = randomBytes(3_000_000);
  let cuts = 1;
  await using registry = await TestRegistry.start({
    intercept(request, response) {
      if (!request.url?.includes('/blobs/') || cuts === 0) return false;
      cuts -= 1;
      response.writeHead(200, { 'content-length': blob.length });
      response.write(blob.subarray(0, 2_000_000), () => setImmediate(() => response.destroy()));
      return true;
    },
  });
  const descriptor = registry.putBlob('a/b', blob);
  await using first = await testClient({ downloadAttempts: 1 });
  const repository = await first.open(`${registry.host}/a/b:1`);
  await assert.rejects(first.fetch(repository, descriptor), (error) => isKind(error, 'unavailable'));
  assert.deepEqual(partials(first.root), [`resume-${descriptor.digest.replace(':', '-')}`]);
  await using second = await testClient({}, first.root);
  assert.equal(await second.fetch(await second.open(`${registry.host}/a/b:1`), descriptor), descriptor.digest);
  const range = registry.seen.at(-1)?.range ?? '';
  assert.match(range, /^bytes=[1-9]\d*-$/);
  assert.deepEqual(partials(first.root), []);
  assert.deepEqual(await second.content.read(descriptor.digest), blob);
});

test('fetch() goes on by itself after a cut, and without ranges begins the answer anew', async () => {
  const blob = randomBytes(2_000_000);
  let cuts = 1;
  await using registry = await TestRegistry.start({
    intercept(request, response) {
      if (!request.url?.includes('/blobs/')) return false;
      if (cuts > 0) {
        cuts -= 1;
        response.writeHead(200, { 'content-length': blob.length });
        response.write(blob.subarray(0, 1_500_000), () => setImmediate(() => response.destroy()));
      } else response.end(blob);
      return true;
    },
  });
  const descriptor = registry.putBlob('a/b', blob);
  await using client = await testClient();
  await client.fetch(await client.open(`${registry.host}/a/b:1`), descriptor);
  assert.deepEqual(await client.content.read(descriptor.digest), blob);
});

test('fetch() gives one download to all who ask, and ends it when the last has left', async () => {
  const blob = randomBytes(200_000);
  const gate = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  await using registry = await TestRegistry.start({
    async intercept(request) {
      if (!request.url?.includes('/blobs/')) return false;
      reached.resolve();
      await gate.promise;
      return false;
    },
  });
  const descriptor = registry.putBlob('a/b', blob);
  await using client = await testClient();
  const repository = await client.open(`${registry.host}/a/b:1`);
  const leaving = new AbortController();
  const gone = client.fetch(repository, descriptor, { signal: leaving.signal });
  const staying = client.fetch(repository, descriptor);
  await reached.promise;
  leaving.abort(new Error('left'));
  await assert.rejects(gone, /left/);
  gate.resolve();
  assert.equal(await staying, descriptor.digest);
  assert.equal(registry.count('GET', '/blobs/'), 1);
  const all = new AbortController();
  const other = registry.putBlob('a/b', randomBytes(100_000));
  const cancelled = client.fetch(repository, other, { signal: all.signal });
  all.abort(new Error('nobody is left'));
  await assert.rejects(cancelled, /nobody is left/);
  assert.equal(await client.content.stat(other.digest), undefined);
});

test('fetch() refuses wrong bytes, too many bytes and too few', async () => {
  const blob = randomBytes(10_000);
  let sent = Buffer.alloc(0);
  await using registry = await TestRegistry.start({
    intercept(request, response) {
      if (!request.url?.includes('/blobs/')) return false;
      response.end(sent);
      return true;
    },
  });
  const descriptor = registry.putBlob('a/b', blob);
  await using client = await testClient({ downloadAttempts: 2 });
  const repository = await client.open(`${registry.host}/a/b:1`);
  const dataLoss = (error: unknown): boolean => isKind(error, 'data-loss');
  sent = randomBytes(10_000);
  await assert.rejects(client.fetch(repository, descriptor), dataLoss);
  sent = Buffer.concat([blob, Buffer.from('more')]);
  await assert.rejects(client.fetch(repository, descriptor), dataLoss);
  sent = blob.subarray(0, 9_000);
  await assert.rejects(client.fetch(repository, descriptor), (error) => error instanceof WharfError);
  assert.equal(await client.content.stat(descriptor.digest), undefined);
  sent = blob;
  assert.equal(await client.fetch(repository, descriptor), descriptor.digest);
});

test('fetch() drops what a crash left when it was wrong, and fetches all again', async () => {
  const blob = randomBytes(50_000);
  await using registry = await TestRegistry.start();
  const descriptor = registry.putBlob('a/b', blob);
  await using client = await testClient();
  const stale = await client.content.writer({ resumeKey: descriptor.digest });
  await stale.write(randomBytes(30_000));
  await stale.abort();
  assert.equal(await client.fetch(await client.open(`${registry.host}/a/b:1`), descriptor), descriptor.digest);
  assert.deepEqual(await client.content.read(descriptor.digest), blob);
});

test('fetch() asks for several ranges of a large blob at once', async () => {
  const blob = Buffer.alloc(RANGES_FROM_BYTES + 5_000_000, 'ranges of one blob ');
  await using registry = await TestRegistry.start();
  const descriptor = registry.putBlob('a/b', blob);
  await using client = await testClient();
  await client.fetch(await client.open(`${registry.host}/a/b:1`), descriptor);
  const ranges = registry.seen.flatMap(({ range }) => range ?? []);
  assert.ok(ranges.length > 5 && new Set(ranges).size === ranges.length, ranges.join(' '));
});

test('fetch() tells states and amounts', async () => {
  await using registry = await TestRegistry.start();
  const descriptor = registry.putBlob('a/b', randomBytes(300_000));
  await using client = await testClient();
  const states: string[] = [];
  const onProgress = ({ state }: { readonly state: string }): void => {
    if (states.at(-1) !== state) states.push(state);
  };
  await client.fetch(await client.open(`${registry.host}/a/b:1`), descriptor, { onProgress });
  assert.deepEqual(states, ['waiting', 'downloading', 'verifying', 'complete']);
});
