import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { must, type RunResult } from '../scripts/lib/run.ts';
import { TestDaemon } from './lib/daemon.ts';
import { freePort } from './lib/free-port.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { proxyTo, startDockerRegistry } from './lib/registries.ts';
import { startTokenServer } from './lib/token-server.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-client-'));
const at = (...names: readonly string[]): string => join(scratch, ...names);
after(() => rmSync(scratch, { recursive: true, force: true }));

/** "secret", by bcrypt. */
const HTPASSWD = 'me:$2a$05$lZEp71vF0klG4.y.Yn0bjuOZxIGbCdinqQaTsl2slriHfiOSNiWue\n';

/** The docker CLI with a configuration that keeps what `login` writes. */
async function cli(daemon: TestDaemon, args: readonly string[], input?: string): Promise<RunResult> {
  const config = at('docker-config');
  mkdirSync(config, { recursive: true });
  return daemon.docker(args, { env: { DOCKER_CONFIG: config }, ...(input === undefined ? {} : { input }) });
}

async function ok(daemon: TestDaemon, ...args: readonly string[]): Promise<string> {
  const result = await cli(daemon, args);
  assert.equal(result.code, 0, result.output);
  return result.stdout.trim();
}

async function login(daemon: TestDaemon, address: string, password: string): Promise<RunResult> {
  return cli(daemon, ['login', '-u', 'me', '--password-stdin', address], password);
}

/** A key with a certificate of its own for a name. */
async function certificate(name: string, host: string): Promise<void> {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', at(`${name}.key`)];
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  await must(['openssl', 'req', '-x509', '-days', '2', ...key, '-out', at(`${name}.pem`), ...subject]);
}

test('Basic: login, push, pull, logout, and the words for those who are not known', async () => {
  writeFileSync(at('htpasswd'), HTPASSWD);
  const auth = { htpasswd: { realm: 'test', path: at('htpasswd') } };
  await using registry = await startDockerRegistry({ config: { auth } });
  await using daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  const { address } = registry;
  const name = `${address}/box:1`;
  await daemon.ok('tag', BUSYBOX, name);
  const stranger = await cli(daemon, ['push', name]);
  assert.match(
    stranger.stderr,
    /push access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials/,
  );
  const wrong = await login(daemon, address, 'wrong');
  assert.match(wrong.stderr, new RegExp(`login attempt to http://${address}/v2/ failed with status: 401 Unauthorized`));
  assert.match((await login(daemon, address, 'secret')).output, /Login Succeeded/);
  assert.match(await ok(daemon, 'push', name), /1: digest: sha256:/);
  await daemon.ok('rmi', name);
  assert.match(await ok(daemon, 'pull', name), /Downloaded newer image/);
  // A build's base image comes with the credentials that the client sends along (X-Registry-Config).
  await daemon.ok('rmi', '-f', name, BUSYBOX);
  mkdirSync(at('context'));
  writeFileSync(at('context', 'Dockerfile'), `FROM ${name}\nLABEL built=here\n`);
  const env = { DOCKER_CONFIG: at('docker-config'), DOCKER_BUILDKIT: '0' };
  const built = await daemon.docker(['build', '-q', '-t', 'built', at('context')], { env });
  assert.equal(built.code, 0, built.output);
  assert.equal(await daemon.ok('inspect', '-f', '{{.Config.Labels.built}}', 'built'), 'here');
  await ok(daemon, 'logout', address);
  await daemon.ok('rmi', name);
  const denied = await cli(daemon, ['pull', name]);
  assert.match(
    denied.stderr,
    new RegExp(
      `pull access denied for ${address}/box, repository does not exist or may require 'docker login': no basic auth credentials`,
    ),
  );
  // skopeo as another client of what was pushed.
  const inspected = await must(['skopeo', 'inspect', '--creds', 'me:secret', '--tls-verify=false', `docker://${name}`]);
  assert.match(inspected, /"Architecture"/);
  const unreachable = await login(daemon, 'localhost:1', 'secret');
  assert.match(unreachable.stderr, /Get "https?:\/\/localhost:1\/v2\/": dial tcp .*connect: connection refused/);
});

test('Bearer: anonymous pulls, login for a refresh token, tokens per scope, cross-repository mounts', async () => {
  await certificate('token', 'token server');
  await using tokens = await startTokenServer({ cert: at('token.pem'), key: at('token.key'), service: 'test' });
  const { realm, issuer } = tokens;
  const auth = { token: { realm, issuer, service: 'test', rootcertbundle: at('token.pem') } };
  await using registry = await startDockerRegistry({ config: { auth } });
  await using daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  const { address } = registry;
  const [one, other] = [`${address}/team/one:1`, `${address}/team/two:1`];
  await daemon.ok('tag', BUSYBOX, one);
  await daemon.ok('tag', BUSYBOX, other);
  assert.notEqual((await cli(daemon, ['push', one])).code, 0, 'nobody may push');
  assert.match((await login(daemon, address, 'wrong')).stderr, /unauthorized: incorrect username or password/);
  assert.match((await login(daemon, address, 'secret')).output, /Login Succeeded/);
  assert.match(readFileSync(at('docker-config', 'config.json'), 'utf8'), /"identitytoken": "refresh-me"/);
  await ok(daemon, 'push', one);
  assert.ok(tokens.asked.includes('refresh_token repository:team/one:pull,push'), tokens.asked.join('\n'));
  assert.match(await ok(daemon, 'push', other), /Mounted from team\/one/);
  assert.match(tokens.asked.join('\n'), /refresh_token repository:team\/one:pull repository:team\/two:pull,push/);
  await ok(daemon, 'logout', address);
  await daemon.ok('rmi', one);
  assert.match(await ok(daemon, 'pull', one), /Downloaded newer image|Image is up to date/);
  assert.ok(tokens.asked.includes('GET repository:team/one:pull'), tokens.asked.join('\n'));
});

test('certs.d and proxies: authorities, client certificates, a proxy for all; mirrors with fall-back and other paths', async () => {
  await certificate('server', 'registry.invalid');
  await certificate('client', 'client');
  const tls = { cert: at('server.pem'), key: at('server.key'), clientCa: at('client.pem') };
  await using secure = await startDockerRegistry({ tls });
  await using mirror = await startDockerRegistry();
  await using proxy = await proxyTo(secure.port);
  const known = at('certs.d', 'registry.invalid:5443');
  mkdirSync(known, { recursive: true });
  copyFileSync(at('server.pem'), join(known, 'ca.crt'));
  copyFileSync(at('client.pem'), join(known, 'client.cert'));
  copyFileSync(at('client.key'), join(known, 'client.key'));
  mkdirSync(at('certs.d', 'company.invalid'), { recursive: true });
  const hosts = [
    `[host."http://127.0.0.1:${await freePort()}"]`,
    'capabilities = ["pull", "resolve"]',
    `[host."http://127.0.0.1:${mirror.port}"]`,
    'capabilities = ["pull", "resolve"]',
    `[host."http://127.0.0.1:${mirror.port}".rewrite]`,
    '"^team/(.*)$" = "library/$1"',
  ];
  writeFileSync(at('certs.d', 'company.invalid', 'hosts.toml'), `${hosts.join('\n')}\n`);
  await using daemon = await TestDaemon.start({
    arguments: [
      ...['--registry-config-dir', at('certs.d'), '--registry-mirror', `http://127.0.0.1:${mirror.port}`],
      ...['--https-proxy', proxy.url, '--no-proxy', 'direct.invalid'],
    ],
  });
  await loadBusybox(daemon.host);
  const name = 'registry.invalid:5443/box:1';
  await daemon.ok('tag', BUSYBOX, name);
  await daemon.ok('push', name);
  assert.ok(proxy.asked.includes('CONNECT registry.invalid:5443'), proxy.asked.join('\n'));
  const unknown = await daemon.docker(['pull', 'stranger.invalid:5443/box:1']);
  assert.match(unknown.stderr, /x509: certificate/);
  const direct = await daemon.docker(['pull', 'direct.invalid:5443/box:1']);
  assert.match(direct.stderr, /no such host/, 'no-proxy goes past the proxy');
  await daemon.ok('tag', BUSYBOX, `${mirror.address}/library/box:1`);
  await daemon.ok('push', '-q', `${mirror.address}/library/box:1`);
  assert.match(await daemon.ok('pull', 'box:1'), /Downloaded newer image for box:1/, 'a mirror of Docker Hub');
  const company = 'company.invalid/team/box:1';
  assert.match(await daemon.ok('pull', company), /Downloaded newer image/, 'past the dead mirror, by another path');
  await daemon.ok('rmi', '-f', company, 'box:1', `${mirror.address}/library/box:1`, name, BUSYBOX);
  assert.match(await daemon.ok('pull', name), /Downloaded newer image/);
});
