import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { nullLogger } from '@wharf/kit';
import { HttpClient } from './client.ts';
import { parseHostSpec } from './host-spec.ts';
import type { Route } from './route.ts';
import { createHttpServer } from './server.ts';
import { startTestServer } from './testing.ts';

const ping: Route = { method: 'GET', pattern: '/_ping', handler: (_q, r) => r.text(200, 'OK') };

const serve = (): ReturnType<typeof createHttpServer> =>
  createHttpServer({ routes: [ping], log: nullLogger, serverVersion: '0' });

test('parseHostSpec() reads what dockerd takes, and refuses the rest', () => {
  assert.deepEqual(parseHostSpec('unix:///run/x.sock'), { kind: 'unix', path: '/run/x.sock' });
  assert.deepEqual(parseHostSpec('tcp://'), { kind: 'tcp', host: '127.0.0.1', port: 2375 });
  assert.deepEqual(parseHostSpec('tcp://0.0.0.0', { tls: true }), { kind: 'tcp', host: '0.0.0.0', port: 2376 });
  assert.deepEqual(parseHostSpec('tcp://[::1]:5'), { kind: 'tcp', host: '::1', port: 5 });
  assert.deepEqual(parseHostSpec('fd://'), { kind: 'fd', fd: 3 });
  for (const bad of [
    '',
    '/run/x',
    'unix://x',
    'tcp://a:99999',
    'tcp://a:b',
    'npipe:////',
    `unix:///${'x'.repeat(120)}`,
  ]) {
    assert.throws(() => parseHostSpec(bad), { kind: 'invalid-argument' });
  }
});

test('HttpServer.listen() takes a stale socket over, refuses a live one and a file', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'wharf-listen-'));
  const path = join(dir, 'sub', 'api.sock');
  const first = serve();
  const second = serve();
  try {
    await first.listen(`unix://${path}`);
    assert.equal(statSync(path).mode & 0o777, 0o660);
    await assert.rejects(second.listen(`unix://${path}`), { kind: 'already-exists', message: /another daemon/ });
    assert.equal((await new HttpClient(`unix://${path}`).request({ path: '/_ping' })).text, 'OK');
    await first.close();
    assert.ok(!existsSync(path));

    // A process that was killed leaves its socket behind.
    const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    await assert.rejects(promisify(execFile)(process.execPath, ['-e', script]));
    assert.ok(existsSync(path));
    await second.listen(`unix://${path}`);
    assert.equal((await new HttpClient(`unix://${path}`).request({ path: '/_ping' })).status, 200);

    const file = join(dir, 'file');
    writeFileSync(file, 'precious');
    await assert.rejects(serve().listen(`unix://${file}`), { kind: 'already-exists', message: /no socket/ });
    assert.ok(existsSync(file));
    await assert.rejects(serve().listen(`unix://${dir}/g.sock`, { group: 'no-such-group' }), {
      kind: 'invalid-argument',
    });
  } finally {
    await first.close();
    await second.close();
    rmSync(dir, { recursive: true, force: true });
  }
});

test('HttpServer.listen() listens on TCP, says the port it got, and refuses a port in use', async () => {
  const server = serve();
  try {
    const { host } = await server.listen('tcp://127.0.0.1:0');
    assert.equal((await new HttpClient(host).request({ path: '/_ping' })).text, 'OK');
    await assert.rejects(server.listen(host), { kind: 'already-exists', message: /address is in use/ });
  } finally {
    await server.close();
  }
});

test('HttpServer.close() lets an answer under way end within its grace', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const slow: Route = {
    method: 'GET',
    pattern: '/slow',
    handler: async (_q, r) => {
      const out = r.stream(200, 'text/plain');
      await promise;
      await out.write('done');
      out.end();
    },
  };
  await using server = await startTestServer([slow]);
  const answer = await new HttpClient(server.host).stream({ path: '/slow' });
  const closed = server.server.close({ graceMs: 10_000 });
  resolve();
  let text = '';
  for await (const chunk of answer as AsyncIterable<Buffer>) text += chunk.toString();
  assert.equal(text, 'done');
  await closed;
});

test('HttpServer.handleConnection() serves sockets another server accepted', async () => {
  const server = serve();
  const listener = createServer({ allowHalfOpen: true }, (socket) => server.handleConnection(socket));
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  assert.ok(address && typeof address === 'object');
  assert.equal((await new HttpClient(`tcp://127.0.0.1:${address.port}`).request({ path: '/_ping' })).text, 'OK');
  await server.close();
  listener.close();
});
