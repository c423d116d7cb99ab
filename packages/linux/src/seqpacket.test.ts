import assert from 'node:assert/strict';
import { closeSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { bind, check } from './ffi.ts';
import { SeqpacketClient } from './seqpacket.ts';
import { eventually, temporaryDirectory } from './test-support.ts';

const cSocket = bind<(domain: number, type: number, protocol: number) => number>('socket', 'int', [
  'int',
  'int',
  'int',
]);
const cBind = bind<(fd: number, address: Buffer, size: number) => number>('bind', 'int', ['int', 'void *', 'uint']);
const cListen = bind<(fd: number, backlog: number) => number>('listen', 'int', ['int', 'int']);
const cAccept = bind<(fd: number, address: null, size: null) => number>('accept', 'int', ['int', 'void *', 'void *']);
const cSend = bind<(fd: number, b: Buffer, size: number, flags: number) => number>('send', 'int64_t', [
  'int',
  'void *',
  'size_t',
  'int',
]);
const cRecv = bind<(fd: number, b: Buffer, size: number, flags: number) => number>('recv', 'int64_t', [
  'int',
  'void *',
  'size_t',
  'int',
]);
const MSG_DONTWAIT = 0x40;

/** Binds at a short path; the directory may then be moved where its path is long. */
function listen(path: string): number {
  const fd = check(cSocket(1, 5, 0), 'socket');
  const address = Buffer.alloc(110);
  address.writeUInt16LE(1, 0);
  address.write(path, 2);
  check(cBind(fd, address, 3 + path.length), 'bind', path);
  check(cListen(fd, 5), 'listen');
  return fd;
}

function connected(directory: string): { client: SeqpacketClient; server: number } & Disposable {
  const path = join(directory, 's');
  const listener = listen(path);
  const client = SeqpacketClient.connect(path);
  const server = check(cAccept(listener, null, null), 'accept');
  let open = true;
  return {
    client,
    get server() {
      return server;
    },
    [Symbol.dispose]() {
      client.close();
      if (open) closeSync(listener);
      open = false;
    },
  };
}

test('SeqpacketClient keeps the borders of packets and reports the end after the last', async () => {
  using directory = temporaryDirectory();
  using pair = connected(directory.path);
  const packets: string[] = [];
  let ended = 0;
  pair.client.onEnd(() => ended++);
  pair.client.onPacket((packet) => packets.push(packet.toString()));
  for (const text of ['one', 'two', 'three']) cSend(pair.server, Buffer.from(text), text.length, 0);
  closeSync(pair.server);
  await eventually(() => ended === 1);
  assert.deepEqual(packets, ['one', 'two', 'three']);
});

test('SeqpacketClient.pause() stops packets and holds the peer back', async () => {
  using directory = temporaryDirectory();
  using pair = connected(directory.path);
  let received = 0;
  pair.client.onPacket(() => {
    received++;
    if (received === 3) pair.client.pause();
  });
  let sent = 0;
  const block = Buffer.alloc(8192);
  while (cSend(pair.server, block, block.length, MSG_DONTWAIT) > 0) sent++;
  await eventually(() => received === 3);
  assert.ok(sent > 3);
  pair.client.resume();
  await eventually(() => received === sent);
  closeSync(pair.server);
});

test('SeqpacketClient.send() refuses when the peer is full and calls back when there is room', async () => {
  using directory = temporaryDirectory();
  using pair = connected(directory.path);
  let drained = 0;
  pair.client.onDrain(() => drained++);
  const block = Buffer.alloc(8192);
  let sent = 0;
  while (pair.client.send(block)) sent++;
  assert.ok(sent > 0);
  for (let count = 0; count < sent; count++) cRecv(pair.server, block, block.length, 0);
  await eventually(() => drained === 1);
  assert.equal(pair.client.send(Buffer.from('x')), true);
  closeSync(pair.server);
});

test('SeqpacketClient.shutdownWrite() is seen as the end by the peer, whose packets still come', async () => {
  using directory = temporaryDirectory();
  using pair = connected(directory.path);
  const packets: string[] = [];
  pair.client.onPacket((packet) => packets.push(packet.toString()));
  pair.client.shutdownWrite();
  assert.equal(cRecv(pair.server, Buffer.alloc(128), 128, 0), 0);
  cSend(pair.server, Buffer.from('still'), 5, 0);
  await eventually(() => packets.length === 1);
  closeSync(pair.server);
});

test('SeqpacketClient.connect() takes paths longer than sun_path', () => {
  using directory = temporaryDirectory();
  const long = join(directory.path, 'd'.repeat(120));
  mkdirSync(long);
  const link = `/proc/self/fd/`;
  assert.ok(link.length < 108);
  const previous = process.cwd();
  process.chdir(long);
  const listener = listen('s');
  process.chdir(previous);
  SeqpacketClient.connect(join(long, 's')).close();
  closeSync(listener);
  rmSync(long, { recursive: true });
  assert.throws(() => SeqpacketClient.connect(join(directory.path, 'none')), { code: 'ENOENT' });
});
