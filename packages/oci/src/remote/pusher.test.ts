import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { isKind } from '@wharf/kit';
import type { Descriptor } from '../spec/image.ts';
import { OCI_LAYER } from '../spec/media-types.ts';
import { UPLOAD_CHUNK_BYTES } from './limits.ts';
import { type PushedBlob, pushBlob, pushDocument } from './pusher.ts';
import { type TestClient, testClient } from './test-client.ts';
import { fault, TestRegistry } from './test-registry.ts';

async function stored(client: TestClient, bytes: Buffer): Promise<Descriptor> {
  await using writer = await client.content.writer();
  await writer.write(bytes);
  const { digest, sizeBytes } = await writer.commit();
  return { mediaType: OCI_LAYER, digest, size: sizeBytes };
}

async function push(
  client: TestClient,
  name: string,
  descriptor: Descriptor,
  mountFrom: readonly string[] = [],
): Promise<PushedBlob> {
  const connection = (await client.open(name, { username: 'me', password: 'secret' })).forPush();
  const signal = new AbortController().signal;
  return pushBlob({ connection, content: client.content, descriptor, mountFrom, onProgress: () => {}, signal });
}

test('pushBlob() sends what is not there, mounts what lies elsewhere, and sends nothing twice', async () => {
  await using registry = await TestRegistry.start({ auth: 'token' });
  await using client = await testClient();
  const blob = await stored(client, randomBytes(100_000));
  assert.deepEqual(await push(client, `${registry.host}/a/b:1`, blob), { how: 'pushed' });
  assert.deepEqual(await push(client, `${registry.host}/a/b:1`, blob), { how: 'exists' });
  assert.deepEqual(await push(client, `${registry.host}/c/d:1`, blob, ['a/b']), { how: 'mounted', from: 'a/b' });
  assert.deepEqual(await push(client, `${registry.host}/e/f:1`, blob, ['x/y']), { how: 'pushed' });
  assert.equal(registry.count('PUT', '/blobs/uploads/'), 2);
  const scopes = registry.seen
    .filter(({ url }) => url.startsWith('/token?'))
    .map(({ url }) => new URL(url, registry.origin).searchParams);
  assert.ok(scopes.some((each) => each.getAll('scope').join(' ') === 'repository:a/b:pull repository:c/d:pull,push'));
});

test('pushBlob() goes on by chunks after a failure, from where the registry is', async () => {
  let refusals = ['whole', 'second chunk'];
  await using registry = await TestRegistry.start({
    intercept(request, response) {
      const range = String(request.headers['content-range'] ?? '');
      const isWhole = request.method === 'PUT' && Number(request.headers['content-length']) > 0;
      const isSecond = request.method === 'PATCH' && !range.startsWith('0-');
      const which = isWhole ? 'whole' : isSecond ? 'second chunk' : '';
      if (!request.url?.includes('/blobs/uploads/') || !refusals.includes(which)) return false;
      refusals = refusals.filter((each) => each !== which);
      request.resume();
      request.on('end', () => fault(response, which === 'whole' ? 413 : 500, 'UNKNOWN', 'try again'));
      return true;
    },
  });
  await using client = await testClient();
  const blob = await stored(client, Buffer.alloc(UPLOAD_CHUNK_BYTES + 1000, 'chunks'));
  assert.deepEqual(await push(client, `${registry.host}/a/b:1`, blob), { how: 'pushed' });
  assert.deepEqual(refusals, []);
  assert.equal(registry.blobs.get(blob.digest)?.length, blob.size);
});

test('pushBlob() shows the refusal, and pushDocument() keeps the bytes', async () => {
  await using registry = await TestRegistry.start({
    intercept(request, response) {
      if (request.method !== 'POST' || !request.url?.includes('/denied/')) return false;
      fault(response, 403, 'DENIED', 'requested access to the resource is denied');
      return true;
    },
  });
  await using client = await testClient();
  const blob = await stored(client, randomBytes(10));
  const denied = push(client, `${registry.host}/denied/x:1`, blob);
  await assert.rejects(
    denied,
    (error) => isKind(error, 'permission-denied') && /access to the resource is denied/.test(String(error)),
  );
  const bytes = Buffer.from('{ "schemaVersion" : 2 }');
  const { digest } = await client.content.put(bytes);
  const connection = (await client.open(`${registry.host}/a/b:1`)).forPush();
  const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: bytes.length };
  await pushDocument({ connection, descriptor, bytes, name: 'tag', signal: new AbortController().signal });
  assert.deepEqual(registry.manifests.get('a/b tag'), { type: descriptor.mediaType, bytes });
});
