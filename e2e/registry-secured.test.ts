import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ROOT } from '../scripts/lib/root.ts';
import { must, type RunResult, run } from '../scripts/lib/run.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { PeerDaemon } from './lib/peers.ts';
import { TestRegistry } from './lib/registry.ts';
import { fetchFromSid } from './lib/sid.ts';
import { daemonForFile } from './lib/suite.ts';

const PASSWORD = 'correct horse battery';
const stack = new AsyncDisposableStack();
/** TLS and accounts; clients may show a certificate. */
let registry: TestRegistry;
let tools = '';

function admin(at: TestRegistry, line: string, password = ''): void {
  const args = ['registry', ...line.split(' '), '--root', at.root];
  const { status, stderr } = spawnSync(join(ROOT, 'bin/wharf'), args, { input: password, encoding: 'utf8' });
  assert.equal(status, 0, `${line}: ${stderr}`);
}

function addPeople(at: TestRegistry): void {
  admin(at, 'users add boss --admin --password-stdin', PASSWORD);
  admin(at, 'users add ann --password-stdin', PASSWORD);
  admin(at, 'users add guest --password-stdin', PASSWORD);
  admin(at, 'namespaces add team');
  admin(at, 'namespaces member team ann writer');
  admin(at, 'namespaces member team guest reader');
}

const daemon = daemonForFile({
  async prepare() {
    registry = await TestRegistry.start({ tls: true });
    stack.use(registry);
    tools = await fetchFromSid('registry-clients', ['oras', 'crane', 'cosign']).catch(() => '');
    addPeople(registry);
  },
});
after(() => stack.disposeAsync());

function client(home: string, program: string, ...args: readonly string[]): Promise<RunResult> {
  const PATH = `${tools}/usr/bin:${process.env['PATH'] ?? ''}`;
  const folder = join(registry.directory, home);
  mkdirSync(folder, { recursive: true });
  const env = { HOME: folder, DOCKER_CONFIG: join(folder, '.docker'), PATH, SSL_CERT_FILE: registry.caFile };
  return run([program, ...args], { env: { ...env, COSIGN_PASSWORD: '' }, cwd: folder, timeoutMs: 30_000 });
}

async function ok(home: string, program: string, ...args: readonly string[]): Promise<string> {
  const result = await client(home, program, ...args);
  assert.equal(result.code, 0, `${program} ${args.join(' ')}:\n${result.output.slice(-2000)}`);
  return result.stdout;
}

async function refused(words: RegExp, home: string, program: string, ...args: readonly string[]): Promise<void> {
  const result = await client(home, program, ...args);
  assert.notEqual(result.code, 0);
  assert.match(result.output, words);
}

/** Some clients take `localhost` to mean plain HTTP. */
const place = (path: string): string => `${registry.name.replace('localhost', '127.0.0.1')}/${path}`;
const missing = (): string | false => (tools === '' ? 'Debian sid cannot be had' : false);

test('skopeo pushes and pulls with a password over TLS, and is refused with a wrong one or without the right', async () => {
  const archive = join(registry.directory, 'busybox.tar');
  await daemon().ok('save', '-o', archive, BUSYBOX);
  const to = `docker://${place('team/box:1')}`;
  const copy = ['copy', `docker-archive:${archive}`, to];
  await ok('skopeo', 'skopeo', ...copy, '--dest-creds', `ann:${PASSWORD}`);
  await refused(/unauthorized|authentication required/i, 'skopeo', 'skopeo', ...copy, '--dest-creds', 'ann:wrong');
  await refused(/denied|unauthorized/i, 'skopeo', 'skopeo', ...copy, '--dest-creds', `guest:${PASSWORD}`);
  await ok('skopeo', 'skopeo', 'inspect', '--creds', `guest:${PASSWORD}`, to);
  await refused(/unauthorized|authentication required/i, 'skopeo', 'skopeo', 'inspect', '--no-creds', to);
});

test('oras, crane and cosign log in over TLS and do what their account may', async (t) => {
  if (missing()) return t.skip(String(missing()));
  const host = place('').slice(0, -1);
  await ok('ann', 'oras', 'login', host, '-u', 'ann', '-p', PASSWORD);
  writeFileSync(join(registry.directory, 'ann/thing.txt'), 'content');
  await ok('ann', 'oras', 'push', '--artifact-type', 'x/thing', place('team/thing:1'), 'thing.txt:text/plain');
  await ok('ann', 'oras', 'attach', '--artifact-type', 'x/note', place('team/thing:1'), 'thing.txt:text/plain');
  await ok('guest', 'oras', 'login', host, '-u', 'guest', '-p', PASSWORD);
  assert.match(await ok('guest', 'oras', 'discover', place('team/thing:1')), /x\/note/);
  await refused(/denied|unauthorized|403|401/i, 'guest', 'oras', 'tag', place('team/thing:1'), '2');
  await refused(/unauthorized|401/i, 'nobody', 'oras', 'pull', place('team/thing:1'));
  await ok('ann', 'crane', 'auth', 'login', registry.name, '-u', 'ann', '-p', PASSWORD);
  await ok('ann', 'crane', 'copy', `${registry.name}/team/box:1`, `${registry.name}/team/copy:1`);
  const digest = (await ok('ann', 'crane', 'digest', `${registry.name}/team/copy:1`)).trim();
  await refused(/unauthorized/i, 'nobody', 'crane', 'digest', `${registry.name}/team/copy:1`);
  const image = `${registry.name}/team/copy@${digest}`;
  await ok('ann', 'cosign', 'generate-key-pair');
  await ok('ann', 'cosign', 'signing-config', 'create', '--out', 'services.json');
  await ok('ann', 'cosign', 'sign', '--key', 'cosign.key', '--signing-config', 'services.json', '--yes', image);
  await ok('ann', 'cosign', 'verify', '--key', 'cosign.pub', '--insecure-ignore-tlog=true', image);
});

test('a client certificate logs its user in; a registry that requires one lets nobody in without', async () => {
  await using locked = new AsyncDisposableStack();
  const [key, request, cert] = ['client.key', 'client.csr', 'client.cert'].map((name) =>
    join(registry.directory, name),
  );
  const ca = ['-CA', registry.caFile, '-CAkey', join(registry.directory, 'key.pem'), '-CAcreateserial'];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await must(['openssl', 'req', ...kind, '-subj', '/CN=ann', '-keyout', String(key), '-out', String(request)]);
  await must(['openssl', 'x509', '-req', '-in', String(request), ...ca, '-days', '2', '-out', String(cert)]);
  const tls = { cert: registry.caFile, key: join(registry.directory, 'key.pem'), clientCa: registry.caFile };
  const walled = await TestRegistry.start({ tls: true, settings: { tls: { ...tls, requireClientCert: true } } });
  locked.use(walled);
  addPeople(walled);
  const certificates = join(registry.directory, 'certs');
  mkdirSync(certificates);
  copyFileSync(registry.caFile, join(certificates, 'ca.crt'));
  const archive = `docker-archive:${join(registry.directory, 'busybox.tar')}`;
  const to = (repository: string) => `docker://${walled.name}/${repository}:1`;
  await refused(
    /certificate required/,
    'mtls',
    'skopeo',
    'copy',
    '--dest-cert-dir',
    certificates,
    archive,
    to('team/box'),
  );
  for (const [from, name] of [
    [key, 'client.key'],
    [cert, 'client.cert'],
  ])
    copyFileSync(String(from), join(certificates, String(name)));
  await ok('mtls', 'skopeo', 'copy', '--dest-cert-dir', certificates, archive, to('team/box'));
  // As ann, who has nothing to say elsewhere.
  await refused(
    /denied|unauthorized/i,
    'mtls',
    'skopeo',
    'copy',
    '--dest-cert-dir',
    certificates,
    archive,
    to('other/box'),
  );
});

test('dockerd logs in, pushes, pulls by tag and digest, and runs what it pulled', async () => {
  await using peer = await PeerDaemon.start();
  const [pid] = peer.pids;
  await using beside = await TestRegistry.start({ through: ['nsenter', '-t', String(pid), '-n'] });
  addPeople(beside);
  await loadBusybox(peer.host);
  const image = `${beside.name}/team/box:1`;
  const env = { DOCKER_CONFIG: join(beside.directory, 'docker') };
  const docker = async (...args: readonly string[]) => {
    const { code, output, stdout } = await peer.docker(args, { env, input: PASSWORD });
    assert.equal(code, 0, output);
    return stdout;
  };
  await docker('tag', BUSYBOX, image);
  assert.match((await peer.docker(['push', image], { env })).output, /denied|unauthorized|no basic auth/);
  await docker('login', beside.name, '-u', 'ann', '--password-stdin');
  const digest = /sha256:[0-9a-f]{64}/.exec(await docker('push', image))?.[0];
  await docker('rmi', image, BUSYBOX);
  assert.match(await docker('pull', image), new RegExp(`Digest: ${digest}`));
  assert.equal(await docker('run', '--rm', '--network', 'none', image, 'echo', 'pulled'), 'pulled\n');
  await docker('rmi', image);
  await docker('pull', `${beside.name}/team/box@${digest}`);
});
