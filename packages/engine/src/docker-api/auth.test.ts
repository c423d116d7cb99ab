import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testClient } from '@wharf/oci/remote/test-client';
import { TestRegistry } from '@wharf/oci/remote/test-registry';
import { HttpClient } from '@wharf/wire/http/client';
import { startTestServer } from '@wharf/wire/http/testing';
import { authRoutes } from './auth.ts';
import { credentialsOf, metaHeadersOf } from './registry-headers.ts';

test('POST /auth logs in by Basic and by token, and refuses wrong credentials', async () => {
  await using basic = await TestRegistry.start({ auth: 'basic' });
  await using bearer = await TestRegistry.start({ auth: 'token', identityToken: 'identity' });
  await using remote = await testClient();
  await using server = await startTestServer(authRoutes({ registries: async () => remote.registries }));
  const client = new HttpClient(server.host);
  const login = async (serveraddress: string, password: string) => {
    const body = { username: 'me', password, serveraddress };
    const answer = await client.request({ method: 'POST', path: '/auth', body });
    return { status: answer.status, body: answer.json() };
  };
  assert.deepEqual(await login(basic.host, 'secret'), {
    status: 200,
    body: { Status: 'Login Succeeded', IdentityToken: '' },
  });
  assert.deepEqual(await login(`https://${bearer.host}/v1/`, 'secret'), {
    status: 200,
    body: { Status: 'Login Succeeded', IdentityToken: 'identity' },
  });
  assert.equal((await login(basic.host, 'wrong')).status, 401);
  assert.deepEqual(await login(bearer.host, 'wrong'), {
    status: 401,
    body: { message: `Get "http://${bearer.host}/v2/": unauthorized: incorrect username or password` },
  });
  assert.equal((await login('a b', 'x')).status, 400);
  assert.equal((await login('127.0.0.1:1', 'x')).status, 500);
});

test('credentialsOf() reads the header in either alphabet, and takes what is no such thing for nothing', () => {
  const read = (header: string) => credentialsOf({ headers: { 'x-registry-auth': header } });
  const json = JSON.stringify({ username: 'me', password: 'ÿ?>~secret', serveraddress: 'r.example' });
  for (const encoding of ['base64', 'base64url'] as const) {
    const found = read(Buffer.from(json).toString(encoding));
    assert.deepEqual([found?.username, found?.password, found?.serverAddress], ['me', 'ÿ?>~secret', 'r.example']);
  }
  const auth = Buffer.from('me:a:b').toString('base64');
  assert.equal(read(Buffer.from(JSON.stringify({ auth })).toString('base64'))?.password, 'a:b');
  assert.equal(read(Buffer.from('{"identitytoken":"t"}').toString('base64'))?.identityToken, 't');
  for (const nothing of [
    '',
    'e30=',
    '!!',
    Buffer.from('[1').toString('base64'),
    Buffer.from('{"username":1}').toString('base64'),
  ]) {
    assert.equal(read(nothing), undefined, nothing);
  }
  assert.deepEqual(metaHeadersOf({ headers: { 'x-meta-a': '1', 'x-other': '2' } }), { 'x-meta-a': '1' });
});
