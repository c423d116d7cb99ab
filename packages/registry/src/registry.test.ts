import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { nullLogger } from '@wharf/kit';
import { openRegistry, type Registry } from './registry.ts';
import { type FileOperations, realFiles } from './storage/file-operations.ts';
import { openFileStorage } from './storage/file-storage.ts';

const scratch = await mkdtemp(join(tmpdir(), 'wharf-registry-test-'));
after(() => rm(scratch, { recursive: true, force: true }));

const sha256 = (bytes: string | Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const OCTETS = { 'content-type': 'application/octet-stream' };
const MANIFEST = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' };

interface Running extends AsyncDisposable {
  readonly registry: Registry;
  readonly root: string;
  readonly url: string;
  readonly port: number;
}

async function start(files: Partial<FileOperations> = {}, root?: string): Promise<Running> {
  const place = root ?? (await mkdtemp(join(scratch, 'r-')));
  const storage = await openFileStorage({ root: place, files: { ...realFiles, ...files } });
  const registry = await openRegistry({ root: place, version: 'test', log: nullLogger, storage });
  const { host } = await registry.server.listen('tcp://127.0.0.1:0');
  const url = host.replace('tcp:', 'http:');
  return {
    ...{ registry, root: place, url, port: Number(new URL(url).port) },
    [Symbol.asyncDispose]: () => registry.close(),
  };
}

async function begin({ url }: Running, repository = 'a/b'): Promise<string> {
  const answer = await fetch(`${url}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  assert.equal(answer.status, 202);
  return new URL(answer.headers.get('location') ?? '', url).href;
}

async function put(running: Running, bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const answer = await fetch(`${await begin(running)}?digest=${sha256(bytes)}`, {
    method: 'PUT',
    body: bytes,
    headers: OCTETS,
  });
  await answer.arrayBuffer();
  return answer.status;
}

/** Says raw bytes and returns all that is heard until the connection closes; `thenLeave` breaks it off instead. */
function say(port: number, parts: readonly (string | Uint8Array)[], { thenLeave = false } = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    socket.on('error', () => {}).on('close', () => resolve(heard));
    for (const part of parts.slice(0, -1)) socket.write(part);
    socket.write(parts.at(-1) ?? '', () => {
      if (thenLeave) socket.destroy();
      else socket.end();
    });
  });
}

async function soon(what: string, probe: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!(await probe())) {
    if (Date.now() > deadline) throw new Error(`${what}: not in time`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('a client that vanishes in the midst of a blob leaves nothing to be seen, and may go on', async () => {
  await using running = await start();
  const bytes = randomBytes(400_000);
  const place = await begin(running);
  const target = `${new URL(place).pathname}?digest=${sha256(bytes)}`;
  const head = `PUT ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  await say(running.port, [head, bytes.subarray(0, 150_000)], { thenLeave: true });
  const blob = `${running.url}/v2/a/b/blobs/${sha256(bytes)}`;
  assert.equal((await fetch(blob, { method: 'HEAD' })).status, 404);
  let have = 0;
  await soon('the session is free', async () => {
    const answer = await fetch(place);
    have = Number(answer.headers.get('range')?.slice(2) ?? 0) + 1;
    return answer.status === 204;
  });
  assert.ok(have <= 150_000);
  const rest = bytes.subarray(have === 1 ? 0 : have);
  const done = await fetch(`${place}?digest=${sha256(bytes)}`, { method: 'PUT', body: rest, headers: OCTETS });
  assert.equal(done.status, 201);
  assert.deepEqual(Buffer.from(await (await fetch(blob)).arrayBuffer()), bytes);
});

test('lies about lengths are refused', async () => {
  await using running = await start();
  // With an end of line: what has none is a request that is still to come, and is not answered.
  const bytes = Buffer.concat([randomBytes(996), Buffer.from('\r\n\r\n')]);
  const place = await begin(running);
  const wrong = await fetch(place, { method: 'PATCH', body: bytes, headers: { ...OCTETS, 'content-range': '0-99' } });
  assert.equal(wrong.status, 400);
  // What comes beyond the announced length is the next request, and no valid one; the blob is what was announced.
  const target = `${new URL(await begin(running)).pathname}?digest=${sha256(bytes.subarray(0, 500))}`;
  const heard = await say(running.port, [`PUT ${target} HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n`, bytes]);
  assert.match(heard, /^HTTP\/1\.1 201 [\s\S]*HTTP\/1\.1 400 /);
  const both = `POST /v2/a/b/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`;
  assert.match(await say(running.port, [both]), /^HTTP\/1\.1 400 /);
  const twice = 'GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n';
  assert.match(await say(running.port, [twice]), /^HTTP\/1\.1 400 /);
  assert.match(
    await say(running.port, ['GET /v2/ HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n']),
    /^HTTP\/1\.1 400 /,
  );
});

test('names that would leave the root are refused', async () => {
  await using running = await start();
  const before = await readdir(scratch);
  for (const path of [
    '/v2/../../etc/passwd/blobs/uploads/',
    '/v2/%2e%2e/%2e%2e/x/blobs/uploads/',
    '/v2/..%2f..%2fx/blobs/uploads/',
    '/v2//etc/blobs/uploads/',
    '/v2/a/%00/blobs/uploads/',
    '/v2/a/b/blobs/uploads/..%2f..%2fregistry.db',
    '/v2/a/b/blobs/uploads/../../../registry.db',
    '/v2/a/b/blobs/sha256:..%2f..%2f..%2fregistry.db',
    '/v2/a/b/manifests/..%2fx',
    '/v2/A/b/manifests/x',
  ]) {
    for (const method of ['POST', 'PUT', 'GET', 'DELETE']) {
      const heard = await say(running.port, [`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`]);
      assert.match(heard, /^HTTP\/1\.1 4\d\d /, `${method} ${path}: ${heard.slice(0, 60)}`);
    }
  }
  assert.deepEqual(await readdir(scratch), before);
});

test('an upload belongs to its repository', async () => {
  await using running = await start();
  const other = (await begin(running, 'mine/x')).replace('mine/x', 'other/y');
  for (const method of ['GET', 'PATCH', 'PUT', 'DELETE']) {
    const answer = await fetch(`${other}?digest=${sha256('')}`, { method });
    assert.equal(answer.status, 404, method);
  }
});

const failure = (code: string): Error => Object.assign(new Error(`${code}: injected`), { code });

for (const [what, code, status] of [
  ['a full disk', 'ENOSPC', 507],
  ['a failing disk', 'EIO', 500],
] as const) {
  test(`${what} refuses blobs and manifests, keeps serving, and harms nothing`, async () => {
    let broken = false;
    const guard = <T>(work: () => Promise<T>): Promise<T> => (broken ? Promise.reject(failure(code)) : work());
    const root = await mkdtemp(join(scratch, 'r-'));
    await using running = await start({ datasync: (file) => guard(() => realFiles.datasync(file)) }, root);
    const config = Buffer.from('{}');
    assert.equal(await put(running, config), 201);
    const json = JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST['content-type'],
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256(config), size: config.length },
      layers: [],
    });
    const tag = async (name: string, body: string) =>
      (await fetch(`${running.url}/v2/a/b/manifests/${name}`, { method: 'PUT', body, headers: MANIFEST })).status;
    assert.equal(await tag('good', json), 201);
    broken = true;
    assert.equal(await put(running, randomBytes(100)), status);
    assert.equal(await put(running, randomBytes(500_000)), status);
    assert.equal(await tag('bad', `${json}\n`), status);
    assert.equal((await fetch(`${running.url}/v2/a/b/manifests/good`)).status, 200);
    assert.equal((await fetch(`${running.url}/v2/a/b/manifests/bad`)).status, 404);
    assert.deepEqual((await readdir(join(root, 'ingest'))).length, 0);
    broken = false;
    assert.equal(await put(running, randomBytes(500_000)), 201);
    assert.equal(await tag('bad', `${json}\n`), 201);
    assert.deepEqual((await running.registry.verify()).damaged, []);
  });
}

test('verify() finds what the disk has lost or changed; with repair the next push brings it back', async () => {
  await using running = await start();
  const [good, bad] = [randomBytes(1000), randomBytes(1000)];
  await put(running, good);
  await put(running, bad);
  const { writeFile } = await import('node:fs/promises');
  await writeFile(join(running.root, 'blobs/sha256', sha256(bad).slice(7)), 'rotten');
  const { damaged, blobs } = await running.registry.verify({ repair: true });
  assert.equal(blobs, 2);
  assert.deepEqual(damaged, [{ digest: sha256(bad), what: 'content', repositories: ['a/b'] }]);
  assert.equal((await fetch(`${running.url}/v2/a/b/blobs/${sha256(bad)}`, { method: 'HEAD' })).status, 404);
  assert.equal(await put(running, bad), 201);
  assert.deepEqual((await running.registry.verify()).damaged, []);
});

test('a second process is refused the same root', async () => {
  await using running = await start();
  await assert.rejects(start({}, running.root), /lock|use|another/i);
});
