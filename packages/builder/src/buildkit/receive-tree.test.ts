import assert from 'node:assert/strict';
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { GrpcClient } from '@wharf/wire/grpc/client';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import { type GrpcHandler, serveGrpc } from '@wharf/wire/grpc/server';
import { Packet, type PacketMessage } from './messages.ts';
import { receiveTree } from './receive-tree.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-receive-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const DIRECTORY = 2 ** 31;
const LINK = 2 ** 27;

interface Told {
  readonly path: string;
  readonly mode?: number;
  readonly text?: string;
  readonly linkname?: string;
}

/** A client that tells these entries, and sends what it is asked for in pieces. */
function sender(entries: readonly Told[]): GrpcHandler {
  return async (call) => {
    const send = (packet: object) => call.send(encode(Packet, packet));
    for (const { path, mode = 0o644, text = '', linkname = '' } of entries) {
      await send({ type: 0, stat: { path, mode, size: text.length, linkname, modTime: 1_500_000_000_123_456_789n } });
    }
    await send({ type: 0 });
    for await (const bytes of call.messages) {
      const { type, ID } = decode<PacketMessage>(Packet, bytes);
      if (type === 3) {
        await send({ type: 3 });
        return;
      }
      for (const piece of (entries[ID]?.text ?? '').match(/..?/gs) ?? [])
        await send({ type: 2, ID, data: Buffer.from(piece) });
      await send({ type: 2, ID });
    }
  };
}

async function receive(entries: readonly Told[], previous?: string): Promise<string> {
  const methods = new Map([['/moby.filesync.v1.FileSync/DiffCopy', sender(entries)]]);
  const server = createServer((socket) => void serveGrpc(socket, methods)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const directory = mkdtempSync(join(scratch, 'tree-'));
  mkdirSync(directory, { recursive: true });
  const session = { id: 's', client: new GrpcClient(socket), methods: new Set<string>(), sharedKey: '' };
  try {
    await receiveTree(
      session,
      { name: 'context', exclude: [], follow: [], previous },
      directory,
      new AbortController().signal,
    );
  } finally {
    socket.destroy();
    server.close();
  }
  return directory;
}

test('receiveTree() writes directories, files, links, modes and times', async () => {
  const directory = await receive([
    { path: 'a', mode: DIRECTORY + 0o750 },
    { path: 'a/file', mode: 0o640, text: 'content' },
    { path: 'a/hard', text: 'content', linkname: 'a/file' },
    { path: 'empty' },
    { path: 'link', mode: LINK + 0o777, linkname: '/etc/passwd' },
    { path: 'ünïcode' },
  ]);
  assert.deepEqual(readdirSync(directory).sort(), ['a', 'empty', 'link', 'ünïcode'].sort());
  assert.equal(readFileSync(join(directory, 'a/file'), 'utf8'), 'content');
  assert.equal(readlinkSync(join(directory, 'link')), '/etc/passwd');
  const status = lstatSync(join(directory, 'a/file'), { bigint: true });
  assert.deepEqual([status.mode & 0o7777n, status.mtimeNs, status.nlink], [0o640n, 1_500_000_000_123_456_789n, 2n]);
  assert.equal(lstatSync(join(directory, 'a')).mode & 0o7777, 0o750);
});

for (const path of ['../out', '/abs', 'a/../../b', 'link/through', '', 'a//b']) {
  test(`receiveTree() refuses the path ${JSON.stringify(path)}`, async () => {
    const entries = [
      { path: 'link', mode: LINK, linkname: scratch },
      { path, text: 'x' },
    ];
    await assert.rejects(receive(entries), /is no path below its directory/);
    assert.deepEqual(
      readdirSync(scratch).filter((name) => !name.startsWith('tree-')),
      [],
    );
  });
}

test('receiveTree() links what has not changed, and follows no link of the earlier tree', async () => {
  const entries = [
    { path: 'a', mode: DIRECTORY + 0o755 },
    { path: 'a/same', text: 'same' },
    { path: 'a/other', text: 'old' },
  ];
  const first = await receive(entries);
  const second = await receive([...entries.slice(0, 2), { path: 'a/other', text: 'longer' }], first);
  const inode = (path: string) => lstatSync(path).ino;
  assert.equal(inode(join(second, 'a/same')), inode(join(first, 'a/same')));
  assert.equal(readFileSync(join(second, 'a/other'), 'utf8'), 'longer');
  assert.equal(readFileSync(join(first, 'a/other'), 'utf8'), 'old');
  const trap = await receive([{ path: 'a', mode: LINK, linkname: join(first, 'a') }]);
  const third = await receive(entries.slice(0, 2), trap);
  assert.notEqual(inode(join(third, 'a/same')), inode(join(first, 'a/same')));
});
