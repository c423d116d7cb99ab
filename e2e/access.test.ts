import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { must, run } from '../scripts/lib/run.ts';
import { TestDaemon } from './lib/daemon.ts';
import { docker } from './lib/docker.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';

const scratch = mkdtempSync(join(tmpdir(), 'wharf-access-e2e-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

const at = (name: string) => join(scratch, name);

async function authority(name: string): Promise<void> {
  await must([
    ...([
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
    ] as const),
    ...['-subj', `/CN=${name}`, '-keyout', at(`${name}-key.pem`), '-out', at(`${name}.pem`)],
  ]);
}

async function certificate(name: string, options: { readonly by: string; readonly extensions: string }): Promise<void> {
  await must([
    ...([
      'openssl',
      'req',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      `/CN=${name}`,
    ] as const),
    ...['-keyout', at(`${name}-key.pem`), '-out', at(`${name}.csr`)],
  ]);
  writeFileSync(at(`${name}.ext`), options.extensions);
  await must([
    ...(['openssl', 'x509', '-req', '-days', '2', '-in', at(`${name}.csr`), '-CA', at(`${options.by}.pem`)] as const),
    ...[
      '-CAkey',
      at(`${options.by}-key.pem`),
      '-CAcreateserial',
      '-extfile',
      at(`${name}.ext`),
      '-out',
      at(`${name}.pem`),
    ],
  ]);
}

/** The address a daemon told `--host tcp://127.0.0.1:0` says it got. */
function tcpHost(daemon: TestDaemon): string {
  const host = /listening host=(tcp:\/\/127\.0\.0\.1:\d+)/.exec(daemon.log)?.[1];
  assert.ok(host, daemon.log);
  return host;
}

const as = (name: string, ca = 'ca') => [
  '--tlscacert',
  at(`${ca}.pem`),
  '--tlscert',
  at(`${name}.pem`),
  '--tlskey',
  at(`${name}-key.pem`),
];

test('TLS with client certificates lets in who has one of the right authority, and nobody else', async () => {
  await Promise.all([authority('ca'), authority('stranger')]);
  await certificate('server', { by: 'ca', extensions: 'subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' });
  await certificate('client', { by: 'ca', extensions: 'extendedKeyUsage=clientAuth\n' });
  await certificate('intruder', { by: 'stranger', extensions: 'extendedKeyUsage=clientAuth\n' });
  const files = ['--tlscacert', at('ca.pem'), '--tlscert', at('server.pem'), '--tlskey', at('server-key.pem')];
  await using daemon = await TestDaemon.start({ arguments: ['--host', 'tcp://127.0.0.1:0', '--tlsverify', ...files] });
  const host = tcpHost(daemon);
  const ask = (...flags: readonly string[]) =>
    docker(host, [...flags, 'version', '-f', '{{.Server.Os}}'], { timeoutMs: 20_000 });
  assert.equal((await ask('--tlsverify', ...as('client'))).stdout.trim(), 'linux');
  for (const [who, flags] of [
    ['nobody', ['--tls', '--tlscacert', at('ca.pem')]],
    ['a stranger', ['--tls', ...as('intruder')]],
    ['plain HTTP', []],
    ['one who trusts another authority', ['--tlsverify', ...as('client', 'stranger')]],
  ] as const) {
    const refused = await ask(...flags);
    assert.notEqual(refused.code, 0, who);
    assert.doesNotMatch(refused.stdout, /linux/, who);
  }
  const stream = await docker(host, ['--tlsverify', ...as('client'), 'info', '-f', '{{.ServerVersion}}']);
  assert.equal(stream.code, 0, stream.output);
  await loadBusybox(daemon.host);
  const piped = ['--tlsverify', ...as('client'), 'run', '-i', '--rm', '--network', 'none', BUSYBOX, 'cat'];
  assert.equal((await docker(host, piped, { input: 'through TLS' })).stdout, 'through TLS');
  assert.doesNotMatch(daemon.log, /lets anyone who reaches it become root/);
});

test('a tcp host without client certificates is warned of', async () => {
  await using daemon = await TestDaemon.start({ arguments: ['--host', 'tcp://127.0.0.1:0'] });
  assert.equal((await docker(tcpHost(daemon), ['version', '-f', '{{.Server.Os}}'])).stdout.trim(), 'linux');
  assert.match(daemon.log, /WARN.*lets anyone who reaches it become root/);
});

test('TLS settings that cannot work are refused at the start', async () => {
  const refused = (flags: readonly string[], words: RegExp) =>
    assert.rejects(TestDaemon.start({ arguments: ['--host', 'tcp://127.0.0.1:0', ...flags] }), words);
  await refused(['--tlsverify'], /TLS needs both --tlscert and --tlskey/);
  const half = ['--tlscert', at('server.pem'), '--tlskey', at('server-key.pem')];
  await refused(['--tlsverify', ...half], /--tlsverify needs --tlscacert/);
  await refused(['--tls', '--tlscert', at('none.pem'), '--tlskey', at('none.pem')], /none\.pem/);
});

test('the socket is for root and a group, and a stale one is taken over', async () => {
  const gid = 54_321;
  await using daemon = await TestDaemon.start({ arguments: ['--group', String(gid)] });
  const { mode, uid, gid: group } = statSync(daemon.socketPath);
  assert.deepEqual([mode & 0o7777, uid, group], [0o660, 0, gid]);
  chmodSync(daemon.directory, 0o755);
  const asked = (...who: readonly string[]) =>
    run(['setpriv', ...who, '--clear-groups', 'curl', '-s', '--unix-socket', daemon.socketPath, 'http://d/_ping']);
  assert.equal((await asked('--reuid', '12345', '--regid', String(gid))).stdout, 'OK');
  assert.notEqual((await asked('--reuid', '12345', '--regid', '12345')).code, 0);
  await daemon.kill();
  assert.ok(existsSync(daemon.socketPath));
  await daemon.start();
  assert.equal((await daemon.docker(['version'])).code, 0);
});

test('runtimes by name: crun, runc, added ones with arguments, and none that is not there', async () => {
  const trace = at('traced');
  const wrapper = at('runtime');
  writeFileSync(wrapper, `#!/bin/sh\necho "$@" >> ${trace}\nexec crun "$@"\n`, { mode: 0o755 });
  const settings = at('daemon.json');
  const runtimes = {
    wrapped: { path: wrapper, runtimeArgs: ['--debug'] },
    typed: { runtimeType: 'io.containerd.runc.v2', options: { BinaryName: wrapper } },
  };
  writeFileSync(settings, JSON.stringify({ runtimes }));
  await using daemon = await TestDaemon.start({
    arguments: ['--config-file', settings, '--add-runtime', 'gone=/no/such/runtime'],
  });
  await loadBusybox(daemon.host);
  for (const runtime of ['crun', 'runc', 'io.containerd.runc.v2', 'wrapped', 'typed']) {
    const options = ['run', '--rm', '--network', 'none', '--runtime', runtime, BUSYBOX, 'echo', runtime];
    assert.equal(await daemon.ok(...options), runtime);
  }
  assert.match(readFileSync(trace, 'utf8'), /^--debug .*create/m);
  const refused = await daemon.docker(['run', '--rm', '--runtime', 'nosuch', BUSYBOX, 'true']);
  assert.match(refused.stderr, /unknown or invalid runtime name: nosuch/);
  const missing = await daemon.docker(['run', '--rm', '--runtime', 'gone', BUSYBOX, 'true']);
  assert.match(missing.stderr, /"\/no\/such\/runtime" is not installed/);
  assert.match(
    await daemon.ok('info', '-f', '{{json .Runtimes}}'),
    /"wrapped":\{"path":"[^"]*","runtimeArgs":\["--debug"\]/,
  );
});

test("the daemon's own walls: a seccomp profile and no-new-privileges for all who say nothing else", async () => {
  const profile = at('profile.json');
  const rules = [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 1 }];
  writeFileSync(profile, JSON.stringify({ defaultAction: 'SCMP_ACT_ALLOW', syscalls: rules }));
  const flags = ['--seccomp-profile', profile, '--no-new-privileges', '--default-ipc-mode', 'shareable'];
  await using daemon = await TestDaemon.start({ arguments: flags });
  await loadBusybox(daemon.host);
  const sees = (...options: readonly string[]) =>
    daemon.ok(
      'run',
      '--rm',
      '--network',
      'none',
      ...options,
      BUSYBOX,
      'sh',
      '-c',
      'mkdir /x 2>/dev/null && echo made; grep NoNew /proc/self/status',
    );
  assert.equal(await sees(), 'NoNewPrivs:\t1');
  assert.equal(
    await sees('--security-opt', 'seccomp=builtin', '--security-opt', 'no-new-privileges=false'),
    'made\nNoNewPrivs:\t0',
  );
  assert.match(
    await daemon.ok('info', '-f', '{{.SecurityOptions}}'),
    /name=seccomp,profile=custom.*name=no-new-privileges/,
  );
  await daemon.ok('create', '--name', 'ipc', BUSYBOX);
  assert.equal(await daemon.ok('inspect', '-f', '{{.HostConfig.IpcMode}}', 'ipc'), 'shareable');
  await assert.rejects(
    TestDaemon.start({ arguments: ['--seccomp-profile', '/no/such/profile'] }),
    /opening seccomp profile \(\/no\/such\/profile\) failed/,
  );
});
