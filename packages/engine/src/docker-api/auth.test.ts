import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { test } from 'node:test';
import { HttpClient } from '@wharf/wire/http/client';
import { startTestServer } from '@wharf/wire/http/testing';
import type { Engine } from '../engine.ts';
import { authRoutes } from './auth.ts';

const GOOD = `Basic ${Buffer.from('me:secret').toString('base64')}`;

/** A registry that asks for Basic under /v2/, or for a token of its own /token when `bearer`. */
async function startRegistry(bearer: boolean): Promise<{ readonly host: string } & AsyncDisposable> {
  let host = '';
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { authorization } = request.headers;
    if (request.url?.startsWith('/token?')) {
      response.statusCode = authorization === GOOD && request.url.includes('service=reg') ? 200 : 401;
      response.end(JSON.stringify({ token: 't0k', refresh_token: 'identity' }));
      return;
    }
    if (authorization !== (bearer ? 'Bearer t0k' : GOOD)) {
      response.statusCode = 401;
      const challenge = bearer ? `Bearer realm="http://${host}/token",service="reg",scope="a b"` : 'Basic realm="x"';
      response.setHeader('WWW-Authenticate', challenge);
    }
    response.end();
  };
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(address && typeof address === 'object');
  host = `127.0.0.1:${address.port}`;
  return {
    host,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const engine = { config: { insecureRegistries: [] }, system: { version: '0' } } as unknown as Engine;

test('POST /auth logs in by Basic and by token, and refuses wrong credentials', async () => {
  await using basic = await startRegistry(false);
  await using bearer = await startRegistry(true);
  await using server = await startTestServer(authRoutes(engine));
  const client = new HttpClient(server.host);
  const login = async (serveraddress: string, password: string) => {
    const body = { username: 'me', password, serveraddress };
    const answer = await client.request({ method: 'POST', path: '/auth', body });
    return { status: answer.status, body: answer.json() };
  };
  assert.deepEqual(await login(basic.host, 'secret'), { status: 200, body: { Status: 'Login Succeeded' } });
  assert.deepEqual(await login(`https://${bearer.host}/v1/`, 'secret'), {
    status: 200,
    body: { Status: 'Login Succeeded', IdentityToken: 'identity' },
  });
  assert.equal((await login(basic.host, 'wrong')).status, 401);
  assert.deepEqual(await login(bearer.host, 'wrong'), {
    status: 401,
    body: { message: `Get "http://${bearer.host}/token": unauthorized: incorrect username or password` },
  });
  assert.equal((await login('a b', 'x')).status, 400);
  assert.equal((await login('127.0.0.1:1', 'x')).status, 503);
});
