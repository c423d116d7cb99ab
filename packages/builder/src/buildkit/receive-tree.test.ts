import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { linkSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { GrpcClient } from '@wharf/wire/grpc/client';
import { decode, encode, message } from '@wharf/wire/grpc/protobuf';
import { type GrpcHandler, serveGrpc } from '@wharf/wire/grpc/server';
import { readIndex } from '../sources/context-index.ts';
import { Packet, type PacketMessage } from './messages.ts';
import { receiveInto } from './receive-tree.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-receive-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const DIRECTORY = 2 ** 31;
const LINK = 2 ** 27;

interface Told {
  readonly path: string | Buffer;
  /** The client goes away when it is asked for this one. */
  readonly leave?: boolean;
  readonly mode?: number;
  readonly text?: string;
  readonly linkname?: string;
}

/** As `Packet`, for names that are not UTF-8. */
const Told = message('told', {
  1: ['type', 'int'],
  2: [
    'stat',
    message('told.stat', {
      ...{ 1: ['path', 'bytes'], 2: ['mode', 'int'], 5: ['size', 'int'], 6: ['modTime', 'bigint'] },
      7: ['linkname', 'string'],
    }),
  ],
  3: ['ID', 'int'],
  4: ['data', 'bytes'],
});

/** A client that tells these entries, and sends what it is asked for in pieces. */
function sender(entries: readonly Told[]): GrpcHandler {
  return async (call) => {
    const send = (packet: object) => call.send(encode(Told, packet));
    for (const { path, mode = 0o644, text = '', linkname = '' } of entries) {
      const stat = { path: Buffer.from(path), mode, size: text.length, linkname, modTime: 1_500_000_000_123_456_789n };
      await send({ type: 0, stat });
    }
    await send({ type: 0 });
    for await (const bytes of call.messages) {
      const { type, ID } = decode<PacketMessage>(Packet, bytes);
      if (type === 3) {
        await send({ type: 3 });
        return;
      }
      if (entries[ID]?.leave) throw new Error('gone');
      for (const piece of (entries[ID]?.text ?? '').match(/..?/gs) ?? [])
        await send({ type: 2, ID, data: Buffer.from(piece) });
      await send({ type: 2, ID });
    }
  };
}

async function receive(entries: readonly Told[], into?: Place): Promise<Place> {
  const methods = new Map([['/moby.filesync.v1.FileSync/DiffCopy', sender(entries)]]);
  const server = createServer((socket) => void serveGrpc(socket, methods)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const place = into ?? newPlace();
  const session = { id: 's', client: new GrpcClient(socket), methods: new Set<string>(), sharedKey: '' };
  const request = { name: 'context', exclude: [], follow: [] };
  try {
    await receiveInto(place, session, request, new AbortController().signal);
  } finally {
    socket.destroy();
    server.close();
  }
  return place;
}

type Place = ReturnType<typeof newPlace>;

function newPlace() {
  const directory = mkdtempSync(join(scratch, 'tree-'));
  const [tree, index, incoming] = ['tree', 'index', 'incoming'].map((name) => join(directory, name));
  assert.ok(tree && index && incoming);
  mkdirSync(tree);
  return { tree, index, incoming, bootId: 'boot' };
}

test('receiveInto() writes directories, files, links, modes and times', async () => {
  const { tree: directory } = await receive([
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
  test(`receiveInto() refuses the path ${JSON.stringify(path)}`, async () => {
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

test('receiveInto() asks for what changed only, and replaces files rather than writing into them', async () => {
  const entries = [
    { path: 'a', mode: DIRECTORY + 0o755 },
    { path: 'a/other', text: 'old' },
    { path: 'a/same', text: 'same' },
    { path: 'gone', mode: DIRECTORY + 0o755 },
    { path: 'gone/file', text: 'x' },
    { path: 'z', text: 'a file' },
  ];
  const place = await receive(entries);
  const at = (path: string) => join(place.tree, path);
  const before = lstatSync(at('a/same')).ino;
  linkSync(at('a/other'), join(scratch, 'tree-linked'));
  const next = [
    ...[entries[0], { path: 'a/other', text: 'longer' }, entries[2]],
    ...[
      { path: 'z', mode: DIRECTORY + 0o700 },
      { path: 'z/inside', text: 'y' },
    ],
  ].filter((entry) => entry !== undefined);
  await receive(next, place);
  assert.equal(lstatSync(at('a/same')).ino, before);
  assert.equal(readFileSync(at('a/other'), 'utf8'), 'longer');
  assert.equal(readFileSync(join(scratch, 'tree-linked'), 'utf8'), 'old');
  assert.deepEqual(readdirSync(place.tree), ['a', 'z']);
  assert.equal(lstatSync(at('a'), { bigint: true }).mtimeNs, 1_500_000_000_123_456_789n);
  const index = readIndex(place.index);
  assert.deepEqual([...(index?.keys() ?? [])].sort(), ['a', 'a/other', 'a/same', 'z', 'z/inside']);
  assert.equal(index?.get('a/other')?.digest, createHash('sha256').update('longer').digest('hex'));
});

test('receiveInto() keeps what was whole when the client left, and goes on from there', async () => {
  const entries = [
    { path: 'a', text: 'whole' },
    { path: 'b', text: 'never sent' },
  ];
  const place = newPlace();
  await assert.rejects(receive([...entries, { path: 'c', leave: true, text: 'c' }], place));
  const index = readIndex(place.index);
  assert.ok(index !== undefined && !index.has('c'));
  for (const name of readdirSync(place.tree)) assert.ok(index.has(name), name);
  assert.deepEqual(readdirSync(place.incoming), []);
  await receive(entries, place);
  assert.deepEqual(readdirSync(place.tree), ['a', 'b']);
});

test('receiveInto() takes names of any bytes, and hard links whose first name changed', async () => {
  const bytes = Buffer.from('n\n\xff\xfe', 'latin1');
  const place = await receive([
    { path: bytes, text: 'odd' },
    { path: 'p', text: '1' },
    { path: 'q', text: '1', linkname: 'p' },
  ]);
  assert.deepEqual(
    readdirSync(place.tree, { encoding: 'buffer' }).map((name) => name.toString('latin1')),
    ['n\n\xff\xfe', 'p', 'q'],
  );
  await receive(
    [
      { path: 'p', text: '22' },
      { path: 'q', text: '22', linkname: 'p' },
    ],
    place,
  );
  assert.equal(readFileSync(join(place.tree, 'q'), 'utf8'), '22');
  assert.equal(lstatSync(join(place.tree, 'q')).nlink, 2);
});
