import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { definitionOf } from '../packages/builder/src/buildkit/definition.ts';
import {
  BridgeSolveRequest,
  BridgeSolveResponse,
  ControlSolveRequest,
  type ResultMessage,
  ReturnRequest,
  Stat,
} from '../packages/builder/src/buildkit/messages.ts';
import { GitTestServer } from '../packages/builder/src/sources/git/test-server.ts';
import { upgrade } from '../packages/wharf/src/build/upgrade.ts';
import { DockerClient } from '../packages/wire/src/docker-client/client.ts';
import { GrpcClient } from '../packages/wire/src/grpc/client.ts';
import { decode, encode, type MessageType, message } from '../packages/wire/src/grpc/protobuf.ts';
import { serveGrpc } from '../packages/wire/src/grpc/server.ts';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile } from './lib/suite.ts';

const daemon = daemonForFile();
const scratch = mkdtempSync(join(tmpdir(), 'wharf-gateway-'));
const server = new GitTestServer(scratch);
let url = '';
before(async () => {
  url = await server.start();
  server.commit('app', {
    Dockerfile: `FROM ${BUSYBOX}\nRUN mkdir /d && echo 0123456789 >/d/file && ln -s file /d/link && ln -s /etc/../../../d/file /out && chmod 4711 /d/file\n`,
    seen: 'before',
  });
});
after(async () => {
  await server.stop();
  rmSync(scratch, { recursive: true, force: true });
});

const Text = (fields: Parameters<typeof message>[1]) => message('asked', fields);
const READ = Text({
  1: ['Ref', 'string'],
  2: ['FilePath', 'string'],
  3: ['Range', message('r', { 1: ['Offset', 'int'], 2: ['Length', 'int'] })],
});
const BYTES = message('ReadFileResponse', { 1: ['Data', 'bytes'] });
const LIST = Text({ 1: ['Ref', 'string'], 2: ['DirPath', 'string'], 3: ['IncludePattern', 'string'] });
const ENTRIES = message('ReadDirResponse', { 1: ['entries', [Stat]] });
const STAT = Text({ 1: ['Ref', 'string'], 2: ['Path', 'string'] });
const STATUS = message('StatFileResponse', { 1: ['stat', Stat] });
const IMAGE = Text({ 1: ['Ref', 'string'] });
const CONFIG = message('ResolveImageConfigResponse', { 1: ['Digest', 'string'], 2: ['Config', 'bytes'] });

/** A client that drives one build and asks about it, with a session that lends nothing. */
async function withBuild(work: (ask: Ask) => Promise<void>): Promise<void> {
  const api = new DockerClient({ endpoint: { host: daemon().host } });
  const { signal } = new AbortController();
  const id = randomBytes(12).toString('hex');
  const headers = { 'x-docker-expose-session-uuid': id };
  const session = await upgrade(api, '/session', { headers, signal });
  const served = serveGrpc(session, new Map());
  const socket = await upgrade(api, '/grpc', { signal });
  const client = new GrpcClient(socket);
  const bridge = '/moby.buildkit.v1.frontend.LLBBridge/';
  const metadata = { 'buildkit-controlapi-buildid': id };
  const ask: Ask = async (method, [request, value], response) =>
    decode(response, await client.unary(bridge + method, encode(request, value), signal, metadata));
  const solving = client.unary(
    '/moby.buildkit.v1.Control/Solve',
    encode(ControlSolveRequest, { Ref: id, Session: id, Internal: true }),
    signal,
  );
  solving.catch(() => undefined);
  try {
    await work(ask);
    await ask('Return', [ReturnRequest, { result: { metadata: {} } }], message('nothing', {}));
    await solving;
  } finally {
    client.close();
    socket.destroy();
    session.destroy();
    await served;
  }
}

type Ask = <T>(method: string, request: readonly [MessageType, object], response: MessageType) => Promise<T>;

async function solved(ask: Ask, request: object): Promise<string> {
  const { result } = await ask<{ readonly result: ResultMessage }>(
    'Solve',
    [BridgeSolveRequest, request],
    BridgeSolveResponse,
  );
  return result.ref?.id ?? '';
}

const read = async (ask: Ask, Ref: string, FilePath: string, Range?: object) =>
  (await ask<{ readonly Data: Buffer }>('ReadFile', [READ, { Ref, FilePath, Range }], BYTES)).Data.toString();

test('the files of a result can be read, listed and looked at, and no link leads out of it', async () => {
  await withBuild(async (ask) => {
    const Ref = await solved(ask, { Frontend: 'dockerfile.v0', FrontendOpt: { context: `${url}/app.git` } });
    assert.equal(await read(ask, Ref, '/d/file'), '0123456789\n');
    assert.equal(await read(ask, Ref, 'd/link', { Offset: 3, Length: 4 }), '3456');
    assert.equal(await read(ask, Ref, '/out'), '0123456789\n');
    const { entries } = await ask<{
      readonly entries: readonly { readonly path: string; readonly linkname: string }[];
    }>('ReadDir', [LIST, { Ref, DirPath: '/d' }], ENTRIES);
    assert.deepEqual(
      entries.map(({ path, linkname }) => [path, linkname]),
      [
        ['file', ''],
        ['link', 'file'],
      ],
    );
    const some = await ask<{ readonly entries: readonly object[] }>(
      'ReadDir',
      [LIST, { Ref, DirPath: 'd', IncludePattern: 'l*' }],
      ENTRIES,
    );
    assert.equal(some.entries.length, 1);
    const { stat } = await ask<{ readonly stat: { readonly mode: number; readonly size: number } }>(
      'StatFile',
      [STAT, { Ref, Path: '/d/file' }],
      STATUS,
    );
    // Go's setuid bit and the permissions.
    assert.deepEqual([stat.mode, stat.size], [2 ** 23 + 0o711, 11]);
    await assert.rejects(read(ask, Ref, '/absent'), {
      kind: 'not-found',
      message: /open \/absent: no such file or directory/,
    });
    await assert.rejects(read(ask, Ref, '/d'), { message: /is a directory/ });
    await assert.rejects(read(ask, 'unknown', '/d/file'), { kind: 'not-found' });
  });
});

test('a source that a client describes can be looked into; a graph that runs something cannot', async () => {
  await withBuild(async (ask) => {
    const address = `${url}/app.git`;
    const git = definitionOf({
      identifier: `git://${address.slice('http://'.length)}`,
      attrs: { 'git.fullurl': address },
    });
    assert.equal(await read(ask, await solved(ask, { Definition: git }), 'seen'), 'before');
    const http = definitionOf({ identifier: `${url}/app.git/HEAD`, attrs: { 'http.filename': 'head' } });
    assert.equal(await read(ask, await solved(ask, { Definition: http }), 'head'), 'ref: refs/heads/main\n');
    const image = definitionOf({ identifier: `docker-image://${BUSYBOX}`, attrs: {} });
    assert.match(await read(ask, await solved(ask, { Definition: image }), '/etc/passwd'), /^root:/);
    const exec = {
      def: [Buffer.from([0x12, 0x00]), Buffer.from([0x12, 0x00]), Buffer.from([0x12, 0x00]), Buffer.from([0x12, 0x00])],
    };
    await assert.rejects(solved(ask, { Definition: exec }), { kind: 'not-implemented' });
  });
});

test('the configuration of an image can be asked for', async () => {
  await withBuild(async (ask) => {
    const { Digest, Config } = await ask<{ readonly Digest: string; readonly Config: Buffer }>(
      'ResolveImageConfig',
      [IMAGE, { Ref: BUSYBOX }],
      CONFIG,
    );
    assert.equal(Digest, await daemon().ok('inspect', '-f', '{{.Id}}', BUSYBOX));
    const { os, rootfs } = JSON.parse(Config.toString()) as {
      readonly os: string;
      readonly rootfs: { readonly diff_ids: readonly string[] };
    };
    assert.equal(os, 'linux');
    assert.equal(rootfs.diff_ids.length > 0, true);
  });
});
