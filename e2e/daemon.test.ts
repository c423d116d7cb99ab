import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ROOT } from '../scripts/lib/root.ts';
import { run } from '../scripts/lib/run.ts';
import { TestDaemon } from './lib/daemon.ts';
import { BUSYBOX, loadBusybox } from './lib/images.ts';
import { eventually } from './lib/suite.ts';

const WHARFD = join(ROOT, 'bin/wharfd');
const WHARF = join(ROOT, 'bin/wharf');
const scratch = mkdtempSync(join(tmpdir(), 'wharf-daemon-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('wharfd and wharf start from a symlink in any directory, whatever NODE_OPTIONS says', async () => {
  for (const [name, path] of [
    ['wharfd', WHARFD],
    ['wharf', WHARF],
  ] as const) {
    const link = join(scratch, name);
    symlinkSync(path, link);
    const result = await run([link, '--version'], { cwd: '/', env: { NODE_OPTIONS: '--no-such-option' } });
    assert.equal(result.code, 0, result.output);
    assert.match(result.stdout, new RegExp(`^${name} version \\d`));
  }
});

test('wharfd refuses unknown flags and bad values with the reason and status 1', async () => {
  for (const [args, reason] of [
    [['--nonsense'], /unknown flag: --nonsense/],
    [['--host', 'ftp://x'], /invalid bind address/],
    [['--config-file', join(scratch, 'missing.json')], /no such file or directory/],
  ] as const) {
    const result = await run([WHARFD, ...args]);
    assert.equal(result.code, 1);
    assert.match(result.stderr, reason);
    assert.equal(result.stderr.includes('    at '), false, 'no stack trace');
  }
});

test('wharfd --validate checks the configuration and exits', async () => {
  const path = join(scratch, 'daemon.json');
  writeFileSync(path, '{"labels":["a=b"],"log-level":"warn"}');
  const good = await run([WHARFD, '--validate', '--config-file', path]);
  assert.deepEqual([good.code, good.output.trim()], [0, 'configuration OK']);
  const bad = await run([WHARFD, '--validate', '--config-file', path, '--label', 'c=d']);
  assert.equal(bad.code, 1);
  assert.match(bad.stderr, /specified both as a flag and in the configuration file: labels/);
});

test('wharf doctor tells about the machine in text and JSON', async () => {
  const text = await run([WHARF, 'doctor']);
  assert.equal(text.code, 0, text.output);
  const json = JSON.parse((await run([WHARF, 'doctor', '--json'])).stdout) as {
    readonly healthy: boolean;
    readonly findings: readonly object[];
  };
  assert.equal(json.healthy, true);
  assert.ok(json.findings.length > 10);
});

test('wharf version and info speak to the daemon, and say when there is none', async () => {
  await using daemon = await TestDaemon.start();
  assert.match(
    (await run([WHARF, '--host', daemon.host, 'version'])).stdout,
    /Server: wharf\n Engine:\n {2}Version: +\d/,
  );
  assert.match(
    (await run([WHARF, 'info'], { env: { WHARF_HOST: daemon.host } })).stdout,
    new RegExp(`Docker Root Dir: ${daemon.dataRoot}`),
  );
  const none = await run([WHARF, '--host', `unix://${join(scratch, 'nobody.sock')}`, 'info']);
  assert.equal(none.code, 1);
  assert.match(none.stderr, /Is the docker daemon running\?/);
});

test('a second daemon on the same roots is refused while the first runs', async () => {
  await using daemon = await TestDaemon.start();
  const second = await run([
    WHARFD,
    '--data-root',
    daemon.dataRoot,
    '--exec-root',
    daemon.execRoot,
    '--host',
    daemon.host,
    '--bridge',
    daemon.bridge,
  ]);
  assert.equal(second.code, 1);
  assert.match(second.stderr, /already runs/);
});

test('two daemons run side by side', async () => {
  await using one = await TestDaemon.start();
  await using two = await TestDaemon.start();
  await Promise.all([loadBusybox(one.host), loadBusybox(two.host)]);
  await Promise.all([
    one.ok('run', '-d', '--name', 'same', '-p', '80', BUSYBOX, 'sleep', '1000'),
    two.ok('run', '-d', '--name', 'same', '-p', '80', BUSYBOX, 'sleep', '1000'),
  ]);
  await one.ok('rm', '-f', 'same');
  assert.equal(await two.ok('ps', '--format', '{{.Names}}'), 'same');
});

test('SIGTERM ends the daemon with status 0 and leaves containers running', async () => {
  await using daemon = await TestDaemon.start();
  await loadBusybox(daemon.host);
  await daemon.ok('run', '-d', '--name', 'stays', BUSYBOX, 'sleep', '1000');
  assert.equal(await daemon.stop(), 0);
  await daemon.start();
  assert.equal(await daemon.ok('inspect', '-f', '{{.State.Status}}', 'stays'), 'running');
});

test('SIGHUP reloads labels and the log level', async () => {
  const path = join(scratch, 'reload.json');
  writeFileSync(path, '{"labels":["before=1"]}');
  await using daemon = await TestDaemon.start({ arguments: ['--config-file', path] });
  assert.equal(await daemon.ok('info', '-f', '{{.Labels}}'), '[before=1]');
  writeFileSync(path, '{"labels":["after=2"]}');
  process.kill(daemon.pid, 'SIGHUP');
  await eventually('the label is new', async () => (await daemon.ok('info', '-f', '{{.Labels}}')) === '[after=2]');
});

test('--metrics-addr serves metrics', async () => {
  await using daemon = await TestDaemon.start({ arguments: ['--metrics-addr', '127.0.0.1:0'] });
  const port = /metrics.*127\.0\.0\.1:(\d+)/.exec(daemon.log)?.[1];
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const text = await response.text();
  assert.match(text, /^engine_daemon_container_states_containers\{state="running"\} 0$/m);
});

test('the daemon listens on TCP too', async () => {
  const port = 20_000 + (process.pid % 10_000);
  await using daemon = await TestDaemon.start({ arguments: ['--host', `tcp://127.0.0.1:${port}`] });
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/_ping`)).text(), 'OK');
  assert.ok(readFileSync(join(daemon.execRoot, 'wharfd.pid'), 'utf8').includes(String(daemon.pid)));
});
