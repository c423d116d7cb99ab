import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind, WharfError } from '@wharf/kit';
import { MANIFEST_BYTES } from './limits.ts';
import { statusOf } from './registry-error.ts';
import { fetchDocument, resolve } from './resolver.ts';
import { testClient } from './test-client.ts';
import { digestOf, fault, TestRegistry } from './test-registry.ts';

test('resolve() trusts the head of the answer, and reads the document when that says too little', async () => {
  let bare = false;
  await using registry = await TestRegistry.start({
    intercept(request, response) {
      if (!bare || request.method !== 'HEAD') return false;
      response.statusCode = 405;
      response.end();
      return true;
    },
  });
  const image = registry.putImage('a/b', '1', [Buffer.from('x')]);
  await using client = await testClient();
  assert.deepEqual(await resolve(await client.open(`${registry.host}/a/b:1`)), image);
  bare = true;
  assert.deepEqual(await resolve(await client.open(`${registry.host}/a/b:1`)), image);
});

test('fetchDocument() refuses other content, large content, schema 1 and what is no manifest', async () => {
  await using registry = await TestRegistry.start();
  const image = registry.putImage('a/b', '1', [Buffer.from('x')]);
  const wrong = digestOf(Buffer.from('other'));
  const good = registry.manifests.get('a/b 1');
  assert.ok(good);
  registry.manifests.set(`a/b ${wrong}`, good);
  registry.manifests.set('a/b large', { type: image.mediaType, bytes: Buffer.alloc(MANIFEST_BYTES + 1, ' ') });
  registry.manifests.set('a/b old', {
    type: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
    bytes: Buffer.from('{"schemaVersion":1}'),
  });
  registry.manifests.set('a/b text', { type: 'text/plain', bytes: Buffer.from('{"hello":1}') });
  registry.manifests.set('a/b both', { type: image.mediaType, bytes: Buffer.from('{"config":{},"manifests":[]}') });
  await using client = await testClient();
  const repository = await client.open(`${registry.host}/a/b:1`);
  await assert.rejects(fetchDocument(repository, wrong), /unexpected digest/);
  await assert.rejects(fetchDocument(repository, 'large'), (error) => isKind(error, 'resource-exhausted'));
  await assert.rejects(fetchDocument(repository, 'old'), /schema 1 support has been removed/);
  await assert.rejects(fetchDocument(repository, 'text'), /unsupported manifest media type "text\/plain"/);
  await assert.rejects(fetchDocument(repository, 'both'), /manifest and an index/);
});

test('a registry that is busy is asked again, as late as it says', async () => {
  let busy = 2;
  await using registry = await TestRegistry.start({
    intercept(_, response) {
      if (busy === 0) return false;
      busy -= 1;
      response.setHeader('retry-after', '0');
      fault(response, busy === 1 ? 429 : 503, 'TOOMANYREQUESTS', 'slow down');
      return true;
    },
  });
  const image = registry.putImage('a/b', '1', [Buffer.from('x')]);
  await using client = await testClient();
  assert.equal((await resolve(await client.open(`${registry.host}/a/b:1`))).digest, image.digest);
});

test('a registry that wants more patience than there is gets its words shown', async () => {
  await using registry = await TestRegistry.start({
    intercept(_, response) {
      response.setHeader('retry-after', '86400');
      fault(response, 429, 'TOOMANYREQUESTS', 'You have reached your pull rate limit');
      return true;
    },
  });
  await using client = await testClient();
  const asked = resolve(await client.open(`${registry.host}/a/b:1`));
  await assert.rejects(asked, (error) => statusOf(error) === 429 && /pull rate limit/.test(String(error)));
  assert.equal(registry.seen.length, 2);
});

test('redirects to this machine, to its provider, in circles and off HTTPS are refused', async () => {
  let location = '';
  await using registry = await TestRegistry.start({
    intercept(_, response) {
      response.writeHead(307, { location }).end();
      return true;
    },
  });
  await using client = await testClient();
  const repository = await client.open(`${registry.host}/a/b:1`);
  location = '/v2/again';
  await assert.rejects(fetchDocument(repository, '1'), /stopped after/);
  location = 'gopher://x/';
  await assert.rejects(fetchDocument(repository, '1'), /no address to follow/);
  const { send } = client.registries.client;
  const call = (url: string) =>
    send.call(client.registries.client, { method: 'GET', url: new URL(url), untrusted: true });
  for (const url of [
    'http://169.254.169.254/latest',
    `${registry.origin}/x`,
    'http://[::ffff:127.0.0.1]/',
    'http://localhost/',
  ]) {
    await assert.rejects(call(url), (error) => error instanceof WharfError && error.code === 'forbidden-target', url);
  }
});

test('tags come page after page', async () => {
  await using registry = await TestRegistry.start({
    intercept(request, response) {
      if (!request.url?.includes('/tags/list')) return false;
      const last = new URL(request.url, 'http://x').searchParams.get('last');
      if (last === null) response.setHeader('link', '</v2/a/b/tags/list?last=2>; rel="next"');
      response.end(JSON.stringify({ name: 'a/b', tags: last === null ? ['1', '2'] : ['3'] }));
      return true;
    },
  });
  await using client = await testClient();
  assert.deepEqual(await (await client.open(`${registry.host}/a/b`)).tags(), ['1', '2', '3']);
});

test('failures on the way have the words of Go’s client', async () => {
  await using client = await testClient();
  const refused = resolve(await client.open('127.0.0.1:9/a/b:1'));
  await assert.rejects(refused, {
    message: 'Head "https://127.0.0.1:9/v2/a/b/manifests/1": dial tcp 127.0.0.1:9: connect: connection refused',
  });
});
