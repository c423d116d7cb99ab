import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { DaemonConfig } from './daemon-config.ts';
import { parseFlags } from './flags.ts';
import { loadConfig } from './merge.ts';

const directory = mkdtempSync(join(tmpdir(), 'wharf-config-'));
after(() => rmSync(directory, { recursive: true, force: true }));

function load(document: unknown, ...argv: string[]): DaemonConfig {
  const path = join(directory, 'daemon.json');
  writeFileSync(path, typeof document === 'string' ? document : JSON.stringify(document));
  return loadConfig(parseFlags(['--config-file', path, ...argv]).values);
}

test('loadConfig() fills in the defaults', () => {
  const config = load('');
  assert.deepEqual(config.hosts, ['unix:///run/wharf.sock']);
  assert.equal(config.dataRoot, '/var/lib/wharf');
  assert.equal(config.pidfile, '/run/wharf/wharfd.pid');
  assert.equal(config.defaultShmSizeBytes, 64 * 1024 * 1024);
  assert.equal(config.tls, undefined);
});

test('loadConfig() takes keys of daemon.json by the names dockerd gives them', () => {
  const config = load({
    hosts: ['tcp://127.0.0.1:2375'],
    labels: ['a=b'],
    'log-opts': { 'max-size': '1m' },
    runtimes: { other: { path: '/usr/bin/runc', runtimeArgs: ['--debug'] } },
    'default-ulimits': { nofile: { Name: 'nofile', Soft: 10, Hard: 20 } },
    'default-shm-size': '1G',
  });
  assert.deepEqual(config.hosts, ['tcp://127.0.0.1:2375']);
  assert.deepEqual(config.runtimes['other'], { path: '/usr/bin/runc', runtimeArgs: ['--debug'] });
  assert.deepEqual(config.defaultUlimits, [{ Name: 'nofile', Soft: 10, Hard: 20 }]);
  assert.equal(config.defaultShmSizeBytes, 1024 ** 3);
});

test('loadConfig() refuses what is set in both places, in words of dockerd', () => {
  const message =
    /the following directives are specified both as a flag and in the configuration file: labels: \(from flag: \[a=b\], from file: \[c=d\]\)/;
  assert.throws(() => load({ labels: ['c=d'] }, '--label', 'a=b'), { message });
});

test('loadConfig() merges runtimes of both places', () => {
  const config = load({ runtimes: { a: { path: '/a' } } }, '--add-runtime', 'b=/b', '--default-runtime', 'b');
  assert.deepEqual(Object.keys(config.runtimes).sort(), ['a', 'b', 'crun', 'io.containerd.runc.v2', 'runc']);
});

test('loadConfig() refuses with the reason', () => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    ['{', /unable to configure the daemon with file .*: invalid JSON/],
    ['[]', /must hold one object/],
    [{ nonsense: 1 }, /the following directives don't match any configuration option: nonsense/],
    [{ debug: 'yes' }, /invalid value of "debug": must be true or false/],
    [{ hosts: 'unix:///x' }, /must be a list of strings/],
    [{ mtu: 1.5 }, /must be an integer/],
    [{ dns: ['x'] }, /x is not an ip address/],
    [{ 'default-runtime': 'nope' }, /specified default runtime 'nope' does not exist/],
    [{ labels: ['a=1', 'a=2'] }, /conflict labels for a=2 and a=1/],
    [{ tls: true }, /TLS needs both --tlscert and --tlskey/],
  ];
  for (const [document, message] of cases) assert.throws(() => load(document), { message }, JSON.stringify(document));
});

test('loadConfig() refuses a named file that is not there', () => {
  const argv = parseFlags(['--config-file', join(directory, 'missing.json')]);
  assert.throws(() => loadConfig(argv.values), { message: /no such file or directory/ });
});
