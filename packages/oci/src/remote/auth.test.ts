import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind, WharfError } from '@wharf/kit';
import { mergeScopes } from './credentials.ts';
import { fetchDocument, resolve } from './resolver.ts';
import { testClient } from './test-client.ts';
import { fault, TestRegistry } from './test-registry.ts';

const ME = { username: 'me', password: 'secret' };

test('Basic: credentials go along once asked for, and their absence is said', async () => {
  await using registry = await TestRegistry.start({ auth: 'basic' });
  registry.putImage('a/b', '1', [Buffer.from('x')]);
  await using client = await testClient();
  const name = `${registry.host}/a/b:1`;
  await resolve(await client.open(name, ME));
  const nobody = resolve(await client.open(name));
  await assert.rejects(nobody, (error) => error instanceof WharfError && error.code === 'no-credentials');
  const wrong = resolve(await client.open(name, { ...ME, password: 'no' }));
  await assert.rejects(wrong, (error) => isKind(error, 'unauthenticated'));
});

test('tokens are asked for once per scope, by password and by refresh token', async () => {
  await using registry = await TestRegistry.start({ auth: 'token', identityToken: 'lasting' });
  const image = registry.putImage('a/b', '1', [Buffer.from('x')]);
  await using client = await testClient();
  const repository = await client.open(`${registry.host}/a/b:1`, ME);
  await resolve(repository);
  await Promise.all([1, 2, 3].map(() => fetchDocument(repository, image.digest)));
  assert.equal(registry.count('GET', '/token?'), 1);
  const asked = registry.seen.find(({ url }) => url.startsWith('/token?'))?.url ?? '';
  assert.equal(new URLSearchParams(asked.slice(7)).get('scope'), 'repository:a/b:pull');
  await resolve(await client.open(`${registry.host}/a/b:1`, { identityToken: 'lasting' }));
  assert.equal(registry.count('POST', '/token'), 1);
  const refused = resolve(await client.open(`${registry.host}/a/b:1`, { identityToken: 'gone' }));
  await assert.rejects(refused, /failed to fetch oauth token: incorrect username or password/);
});

test('a token server without POST is asked by GET', async () => {
  let posts = 0;
  await using registry = await TestRegistry.start({
    auth: 'token',
    identityToken: 'lasting',
    intercept(request, response) {
      if (request.method !== 'POST' || request.url !== '/token') return false;
      posts += 1;
      fault(response, 404, 'UNSUPPORTED', 'no');
      return true;
    },
  });
  await using client = await testClient();
  const refused = resolve(await client.open(`${registry.host}/a/b:1`, { identityToken: 'lasting' }));
  await assert.rejects(refused, /incorrect username or password/);
  assert.equal(posts, 1);
  assert.equal(registry.seen.find(({ url }) => url.startsWith('/token?'))?.authorization, 'Bearer lasting');
});

test('a registry token is sent as it is', async () => {
  await using registry = await TestRegistry.start({ auth: 'token' });
  registry.tokens.push('repository:a/b:pull');
  registry.putImage('a/b', '1', [Buffer.from('x')]);
  await using client = await testClient();
  await resolve(await client.open(`${registry.host}/a/b:1`, { registryToken: 'repository:a/b:pull' }));
  assert.equal(registry.count('GET', '/token'), 0);
});

test('credentials go to the registry they are for, and to no other', async () => {
  await using registry = await TestRegistry.start({ auth: 'basic' });
  await using client = await testClient();
  const other = resolve(await client.open(`${registry.host}/a/b:1`, { ...ME, serverAddress: 'elsewhere.example' }));
  await assert.rejects(other, (error) => error instanceof WharfError && error.code === 'no-credentials');
  assert.ok(registry.seen.every(({ authorization }) => authorization === undefined));
});

test('an authorization does not follow a redirect to another host', async () => {
  await using storage = await TestRegistry.start();
  const blob = storage.putBlob('a/b', Buffer.from('layer'));
  await using registry = await TestRegistry.start({
    auth: 'basic',
    intercept(request, response) {
      if (!request.url?.includes('/blobs/') || request.headers.authorization === undefined) return false;
      response.writeHead(307, { location: `${storage.origin}${request.url}` }).end();
      return true;
    },
  });
  await using client = await testClient();
  assert.equal(await client.fetch(await client.open(`${registry.host}/a/b:1`, ME), blob), blob.digest);
  assert.deepEqual(
    storage.seen.map(({ authorization }) => authorization),
    [undefined],
  );
});

test('login gives the identity token, and dockerd’s words when refused', async () => {
  await using bearer = await TestRegistry.start({ auth: 'token', identityToken: 'lasting' });
  await using client = await testClient();
  const signal = new AbortController().signal;
  const login = (password: string) => client.registries.login(bearer.host, { ...ME, password }, signal);
  assert.equal(await login('secret'), 'lasting');
  await assert.rejects(login('no'), {
    message: `Get "http://${bearer.host}/v2/": unauthorized: incorrect username or password`,
  });
  await assert.rejects(client.registries.login('a b', ME, signal), (error) => isKind(error, 'invalid-argument'));
});

test('mergeScopes() joins the actions on one thing', () => {
  assert.deepEqual(mergeScopes('repository:a:pull', 'repository:a:push,pull repository:b:pull', ''), [
    'repository:a:pull,push',
    'repository:b:pull',
  ]);
});
