import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { daemonHost, getJson } from './client.ts';

const directory = mkdtempSync(join(tmpdir(), 'wharf-client-'));
const socket = join(directory, 'sock');
let server: Server;

before(async () => {
  server = createServer((request, response) => {
    if (request.url === '/info') response.end('{"Name":"quay"}');
    else response.writeHead(500).end('{"message":"it broke"}');
  });
  await new Promise<void>((resolve) => server.listen(socket, () => resolve()));
});

after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(directory, { recursive: true, force: true });
});

test('daemonHost() prefers the flag, then WHARF_HOST, then DOCKER_HOST', () => {
  const env = { WHARF_HOST: 'unix:///w', DOCKER_HOST: 'unix:///d' };
  assert.equal(daemonHost('unix:///f', env), 'unix:///f');
  assert.equal(daemonHost(undefined, env), 'unix:///w');
  assert.equal(daemonHost(undefined, { DOCKER_HOST: 'unix:///d' }), 'unix:///d');
  assert.equal(daemonHost(undefined, { WHARF_HOST: '' }), 'unix:///run/wharf.sock');
});

test('getJson() parses the answer', async () => {
  assert.deepEqual(await getJson(`unix://${socket}`, '/info'), { Name: 'quay' });
});

test('getJson() passes on what the daemon says of an error', async () => {
  await assert.rejects(getJson(`unix://${socket}`, '/x'), { message: 'Error response from daemon: it broke' });
});

test('getJson() says when nobody listens and when the address makes no sense', async () => {
  await assert.rejects(getJson(`unix://${socket}-not`, '/info'), { kind: 'unavailable', message: /is it running\?/ });
  await assert.rejects(getJson('ssh://host', '/info'), { kind: 'invalid-argument' });
});
