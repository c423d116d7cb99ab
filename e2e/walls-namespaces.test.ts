import assert from 'node:assert/strict';
import { readlinkSync } from 'node:fs';
import { test } from 'node:test';
import { BUSYBOX } from './lib/images.ts';
import { daemonForFile, uniqueName } from './lib/suite.ts';

const daemon = daemonForFile();
const KINDS = ['pid', 'ipc', 'uts', 'cgroup', 'net', 'mnt', 'user'] as const;
type Kind = (typeof KINDS)[number];

const LOOK = `for kind in ${KINDS.join(' ')}; do readlink /proc/self/ns/$kind; done`;

function named(output: string): Record<Kind, string> {
  const lines = output.split('\n');
  return Object.fromEntries(KINDS.map((kind, at) => [kind, lines[at] ?? ''])) as Record<Kind, string>;
}

/** The namespaces of the daemon, and so of the host. */
const HOST = named(KINDS.map((kind) => readlinkSync(`/proc/self/ns/${kind}`)).join('\n'));

const run = async (...options: readonly string[]) =>
  named(await daemon().ok('run', '--rm', ...options, BUSYBOX, 'sh', '-c', LOOK));

async function sleeper(...options: readonly string[]): Promise<string> {
  const name = uniqueName('ns');
  await daemon().ok('run', '-d', '--name', name, ...options, BUSYBOX, 'sleep', '1000');
  return name;
}

const sharedWith = (one: Record<Kind, string>, other: Record<Kind, string>) =>
  KINDS.filter((kind) => kind !== 'user' && one[kind] === other[kind]);

test('a container has namespaces of its own, and shares those it asks for with the host', async () => {
  const alone = await run('--cgroupns', 'private');
  assert.deepEqual(sharedWith(alone, HOST), []);
  for (const [options, kinds] of [
    [['--pid', 'host'], ['pid']],
    [['--ipc', 'host'], ['ipc']],
    [['--uts', 'host'], ['uts']],
    [['--network', 'host'], ['net']],
  ] as const) {
    assert.deepEqual(sharedWith(await run('--cgroupns', 'private', ...options), HOST), kinds);
  }
  assert.deepEqual(sharedWith(await run('--cgroupns', 'host'), HOST), ['cgroup']);
});

test('--pid, --ipc and --network container: join a running container', async () => {
  const name = await sleeper('--ipc', 'shareable');
  const theirs = named(await daemon().ok('exec', name, 'sh', '-c', LOOK));
  const own = ['--cgroupns', 'private'];
  assert.deepEqual(sharedWith(await run(...own, '--pid', `container:${name}`), theirs), ['pid']);
  assert.deepEqual(sharedWith(await run(...own, '--ipc', `container:${name}`), theirs), ['ipc']);
  assert.deepEqual(sharedWith(await run(...own, '--network', `container:${name}`), theirs), ['net']);
  await daemon().ok('exec', name, 'sh', '-c', 'echo common > /dev/shm/file');
  const seen = await daemon().ok('run', '--rm', '--ipc', `container:${name}`, BUSYBOX, 'cat', '/dev/shm/file');
  assert.equal(seen, 'common');
  assert.match(await daemon().ok('run', '--rm', '--pid', `container:${name}`, BUSYBOX, 'ps'), /sleep 1000/);
});

test("what cannot be joined is refused in Docker's words", async () => {
  const name = await sleeper();
  const refused = async (words: RegExp, ...options: readonly string[]) =>
    assert.match((await daemon().docker(['run', '--rm', ...options, BUSYBOX, 'true'])).stderr, words);
  await refused(
    /non-shareable IPC \(hint: use IpcMode:shareable for the donor container\)/,
    '--ipc',
    `container:${name}`,
  );
  await refused(/No such container: nobody/, '--pid', 'container:nobody');
  await daemon().ok('stop', '-t', '0', name);
  await refused(
    /failed to join PID namespace: container \w+ is not running|cannot join PID namespace of a non running container|is not running/,
    '--pid',
    `container:${name}`,
  );
  await refused(/cannot join network namespace of a non running container/, '--network', `container:${name}`);
  await refused(/invalid (IPC|ipc) mode|--ipc/i, '--ipc', 'strange');
  await refused(/conflicting options: hostname and the UTS mode/, '--uts', 'host', '--hostname', 'x');
});

test("sysctls are the container's own, or refused", async () => {
  const value = await daemon().ok(
    'run',
    '--rm',
    '--sysctl',
    'net.ipv4.ip_default_ttl=42',
    '--sysctl',
    'kernel.msgmax=9999',
    BUSYBOX,
    'cat',
    '/proc/sys/net/ipv4/ip_default_ttl',
    '/proc/sys/kernel/msgmax',
  );
  assert.equal(value, '42\n9999');
  for (const options of [
    ['--sysctl', 'kernel.core_pattern=x'],
    ['--sysctl', 'vm.panic_on_oom=1'],
    ['--network', 'host', '--sysctl', 'net.ipv4.ip_forward=0'],
    ['--ipc', 'host', '--sysctl', 'kernel.msgmax=1'],
    ['--sysctl', 'net/../kernel/core_pattern=x'],
    ['--sysctl', 'net.ipv4.../../../kernel/core_pattern=x'],
  ]) {
    const result = await daemon().docker(['run', '--rm', ...options, BUSYBOX, 'true']);
    assert.notEqual(result.code, 0, options.join(' '));
  }
});
