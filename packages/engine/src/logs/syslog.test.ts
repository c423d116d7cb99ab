import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { appendSpool, criRecord, makeRecord, openLog, readText, tempDirectory, until } from './test-support.ts';

const T0 = 1_800_000_000_000_000_000n;

test('syslog over tcp: messages arrive, and docker logs works from the cache', async (t) => {
  const received: string[] = [];
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => received.push(String(data)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const root = await tempDirectory(t);
  const config = { 'syslog-address': `tcp://127.0.0.1:${port}`, 'syslog-format': 'rfc5424micro', tag: '{{.Name}}' };
  const record = makeRecord({ Type: 'syslog', Config: { ...config, 'syslog-facility': 'local0' } });
  const log = openLog(root, record);
  t.after(() => log.remove());
  await log.prepare();
  log.attachMonitor('/none');
  appendSpool(root, record, criRecord(T0 + 1000n, 'stdout', 'hello') + criRecord(T0, 'stderr', 'bad'));
  log.notify(1);
  await until(() => received.join('').includes('bad'));
  const lines = received.join('').split('\n');
  assert.match(lines[0] ?? '', /^<134>1 2027-01-15T08:00:00\.000001Z \S+ web \d+ web - hello$/);
  assert.match(lines[1] ?? '', /^<131>1 2027-01-15T08:00:00\.000000Z \S+ web \d+ web - bad$/);
  await log.finish();
  assert.equal(await readText(log), 'hello\nbad\n');
});

test('syslog over udp, with the cache disabled: sent, and reading is refused', async (t) => {
  const received: string[] = [];
  const server = createSocket('udp4', (data) => received.push(String(data)));
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  const root = await tempDirectory(t);
  const config = { 'syslog-address': `udp://127.0.0.1:${server.address().port}`, 'cache-disabled': 'true' };
  const record = makeRecord({ Type: 'syslog', Config: config });
  const log = openLog(root, record);
  t.after(() => log.remove());
  await log.prepare();
  log.attachMonitor('/none');
  appendSpool(root, record, criRecord(T0, 'stdout', 'par', true) + criRecord(T0, 'stdout', 'tial'));
  log.notify(1);
  await until(() => received.length === 1);
  assert.match(received[0] ?? '', /^<30>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d [0-9a-f]{12}\[\d+\]: partial\n$/);
  assert.throws(() => log.checkReadable(), { kind: 'not-implemented' });
  await log.finish();
});
