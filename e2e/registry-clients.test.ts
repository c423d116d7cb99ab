import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type RunResult, run } from '../scripts/lib/run.ts';
import { BUSYBOX } from './lib/images.ts';
import { TestRegistry } from './lib/registry.ts';
import { fetchFromSid } from './lib/sid.ts';
import { daemonForFile } from './lib/suite.ts';

const stack = new AsyncDisposableStack();
let plain: TestRegistry;
let secure: TestRegistry;
let tools = '';

const daemon = daemonForFile({
  async prepare(started) {
    [plain, secure, tools] = await Promise.all([
      TestRegistry.start(),
      TestRegistry.start({ tls: true }),
      // Programs in Go that need no library; none is installed.
      fetchFromSid('registry-clients', ['oras', 'crane', 'cosign']).catch(() => ''),
    ]);
    stack.use(plain);
    stack.use(secure);
    await started.ok('tag', BUSYBOX, `${plain.name}/lib/busybox:1`);
    await started.ok('push', `${plain.name}/lib/busybox:1`);
  },
});
after(() => stack.disposeAsync());

/** Runs a client that trusts the registry's certificate; throws unless it succeeds. */
async function ok(program: string, ...args: readonly string[]): Promise<string> {
  const result = await client(program, ...args);
  assert.equal(result.code, 0, `${program} ${args.join(' ')}:\n${result.output.slice(-2000)}`);
  return result.stdout;
}

function client(program: string, ...args: readonly string[]): Promise<RunResult> {
  return run([program, ...args], {
    env: {
      HOME: secure.directory,
      PATH: `${tools}/usr/bin:${process.env['PATH'] ?? ''}`,
      SSL_CERT_FILE: secure.caFile,
      COSIGN_PASSWORD: '',
    },
    cwd: secure.directory,
    timeoutMs: 30_000,
  });
}

/** The one with TLS; some clients take `localhost` to mean plain HTTP. */
const address = (): string => secure.name.replace('localhost', '127.0.0.1');

const missing = (): string | false => (tools === '' ? 'Debian sid cannot be had' : false);

test('docker pulls what docker pushed', async () => {
  await daemon().ok('rmi', `${plain.name}/lib/busybox:1`);
  await daemon().ok('pull', `${plain.name}/lib/busybox:1`);
  assert.equal(await daemon().ok('run', '--rm', `${plain.name}/lib/busybox:1`, 'echo', 'pulled'), 'pulled');
});

test('skopeo copies, inspects, lists, syncs and deletes, from plain HTTP to TLS', async () => {
  const [from, to] = [`docker://${plain.name}/lib/busybox:1`, `docker://${secure.name}/mirror/busybox`];
  await ok('skopeo', 'copy', '--src-tls-verify=false', from, `${to}:a`);
  await ok('skopeo', 'copy', '--format', 'oci', '--dest-compress-format', 'zstd', `${to}:a`, `${to}:zstd`);
  const seen = JSON.parse(await ok('skopeo', 'inspect', `${to}:a`)) as { RepoTags: string[]; Layers: string[] };
  assert.deepEqual(seen.RepoTags, ['a', 'zstd']);
  assert.ok(seen.Layers.length > 0);
  assert.deepEqual((JSON.parse(await ok('skopeo', 'list-tags', to)) as { Tags: string[] }).Tags, ['a', 'zstd']);
  const sync = ['sync', '--src', 'docker', '--dest', 'docker', '--dest-tls-verify=false'];
  await ok('skopeo', ...sync, `${secure.name}/mirror/busybox`, `${plain.name}/synced`);
  const listed = await ok('skopeo', 'list-tags', '--tls-verify=false', `docker://${plain.name}/synced/busybox`);
  assert.deepEqual((JSON.parse(listed) as { Tags: string[] }).Tags, ['a', 'zstd']);
  await ok('skopeo', 'delete', `${to}:zstd`);
  assert.notEqual((await client('skopeo', 'inspect', `${to}:zstd`)).code, 0);
});

test('oras pushes an artifact, attaches to it and discovers that', async (t) => {
  if (missing()) return t.skip(String(missing()));
  writeFileSync(join(secure.directory, 'thing.txt'), 'content of an artifact');
  const place = `${address()}/things/one:v1`;
  await ok('oras', 'push', '--artifact-type', 'application/vnd.example.thing', place, 'thing.txt:text/plain');
  await ok('oras', 'attach', '--artifact-type', 'application/vnd.example.note', place, 'thing.txt:text/plain');
  assert.match(await ok('oras', 'discover', place), /application\/vnd\.example\.note/);
  mkdirSync(join(secure.directory, 'pulled'));
  await ok('oras', 'pull', '-o', 'pulled', place);
  assert.match(await ok('oras', 'repo', 'tags', `${address()}/things/one`), /^v1$/m);
  assert.match(await ok('oras', 'repo', 'ls', address()), /things\/one/);
});

test('crane copies, reads, tags, lists and deletes', async (t) => {
  if (missing()) return t.skip(String(missing()));
  const place = `${secure.name}/crane/busybox`;
  await ok('crane', 'copy', '--insecure', `${plain.name}/lib/busybox:1`, `${place}:1`);
  const digest = (await ok('crane', 'digest', `${place}:1`)).trim();
  assert.match(digest, /^sha256:/);
  await ok('crane', 'tag', `${place}:1`, '2');
  assert.deepEqual((await ok('crane', 'ls', place)).trim().split('\n'), ['1', '2']);
  assert.match(await ok('crane', 'catalog', secure.name), /crane\/busybox/);
  await ok('crane', 'pull', `${place}:2`, 'crane.tar');
  await ok('crane', 'delete', `${place}@${digest}`);
  assert.notEqual((await client('crane', 'digest', `${place}:1`)).code, 0);
});

test('cosign signs an image and verifies it', async (t) => {
  if (missing()) return t.skip(String(missing()));
  const place = `${secure.name}/signed/busybox`;
  await ok('skopeo', 'copy', '--src-tls-verify=false', `docker://${plain.name}/lib/busybox:1`, `docker://${place}:1`);
  const digest = (JSON.parse(await ok('skopeo', 'inspect', `docker://${place}:1`)) as { Digest: string }).Digest;
  await ok('cosign', 'generate-key-pair');
  await ok('cosign', 'signing-config', 'create', '--out', 'services.json');
  const image = `${place}@${digest}`;
  await ok('cosign', 'sign', '--key', 'cosign.key', '--signing-config', 'services.json', '--yes', image);
  await ok('cosign', 'verify', '--key', 'cosign.pub', '--insecure-ignore-tlog=true', image);
  const answer = await ok('oras', 'discover', '--format', 'json', image.replace('localhost', '127.0.0.1'));
  assert.match(answer, /sigstore/);
});
