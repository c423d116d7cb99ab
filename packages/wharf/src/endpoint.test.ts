import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { call, findEndpoint, upgrade } from './endpoint.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-endpoint-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('findEndpoint() takes the flag, WHARF_HOST, DOCKER_HOST, and then the context', () => {
  const id = createHash('sha256').update('far').digest('hex');
  mkdirSync(join(scratch, 'contexts/meta', id), { recursive: true });
  mkdirSync(join(scratch, 'contexts/tls', id, 'docker'), { recursive: true });
  writeFileSync(
    join(scratch, 'contexts/meta', id, 'meta.json'),
    JSON.stringify({ Name: 'far', Endpoints: { docker: { Host: 'tcp://far:2376' } } }),
  );
  writeFileSync(join(scratch, 'contexts/tls', id, 'docker/ca.pem'), 'CA');
  const env = { WHARF_HOST: 'unix:///w', DOCKER_HOST: 'unix:///d', DOCKER_CONFIG: scratch, DOCKER_CONTEXT: 'far' };
  assert.equal(findEndpoint({ host: 'unix:///f' }, env).host, 'unix:///f');
  assert.equal(findEndpoint({}, env).host, 'unix:///w');
  assert.equal(findEndpoint({}, { ...env, WHARF_HOST: '' }).host, 'unix:///d');
  const context = { DOCKER_CONFIG: scratch, DOCKER_CONTEXT: 'far' };
  assert.deepEqual(findEndpoint({}, context), {
    host: 'tcp://far:2376',
    tls: { ca: Buffer.from('CA'), skipVerify: false },
  });
  writeFileSync(join(scratch, 'config.json'), '{"currentContext":"far"}');
  assert.equal(findEndpoint({}, { DOCKER_CONFIG: scratch }).host, 'tcp://far:2376');
  assert.throws(() => findEndpoint({}, { ...context, DOCKER_CONTEXT: 'none' }), {
    message: 'context "none": context not found',
  });
  assert.match(findEndpoint({}, { DOCKER_CONFIG: '/nowhere' }).host, /^unix:\/\//);
});

test('findEndpoint() reads certificates where the environment asks for TLS', () => {
  const directory = mkdtempSync(join(scratch, 'certs-'));
  writeFileSync(join(directory, 'cert.pem'), 'CERT');
  const env = { DOCKER_HOST: 'tcp://d:1', DOCKER_CERT_PATH: directory };
  assert.deepEqual(findEndpoint({}, env), { host: 'tcp://d:1' });
  assert.deepEqual(findEndpoint({}, { ...env, DOCKER_TLS_VERIFY: '1' }).tls, {
    cert: Buffer.from('CERT'),
    skipVerify: false,
  });
  assert.equal(findEndpoint({}, { ...env, DOCKER_TLS: '1' }).tls?.skipVerify, true);
});

test('call() and upgrade() say why nobody answers, and what a daemon says that does not upgrade', async () => {
  const { signal } = new AbortController();
  const socket = join(scratch, 'sock');
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/old' ? 404 : 500).end('{"message":"it broke"}');
  });
  await new Promise<void>((resolve) => server.listen(socket, () => resolve()));
  try {
    const endpoint = { host: `unix://${socket}` };
    const { status, body } = await call(endpoint, { path: '/x' });
    let text = '';
    for await (const chunk of body) text += chunk.toString();
    assert.equal(`${status} ${text}`, '500 {"message":"it broke"}');
    await assert.rejects(upgrade(endpoint, { path: '/grpc', signal }), /it answered \/grpc with status 500: it broke/);
    await assert.rejects(upgrade(endpoint, { path: '/old', signal }), /it has no BuildKit/);
  } finally {
    server.close();
  }
  await assert.rejects(call({ host: `unix://${socket}-not` }, { path: '/' }), {
    kind: 'unavailable',
    message: /is it running\?/,
  });
  await assert.rejects(call({ host: 'ssh://far' }, { path: '/' }), { kind: 'not-implemented' });
});
