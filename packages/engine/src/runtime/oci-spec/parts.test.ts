import assert from 'node:assert/strict';
import test from 'node:test';
import { capabilitySets, chosenCapabilities, DEFAULT_CAPABILITIES, normalizeCapabilities } from './capabilities.ts';
import { parseDeviceRule } from './devices.ts';
import { containerEnvironment, mergeEnvironment, withHome } from './environment.ts';
import { containerMounts } from './mounts.ts';
import { resourceLimits } from './resources.ts';
import { INFINITY_LIMIT, parseHardLimits, rlimits } from './rlimits.ts';
import { parseSecurityOptions } from './security-options.ts';

test('normalizeCapabilities() completes, sorts and checks names', () => {
  assert.deepEqual(normalizeCapabilities(['sys_admin', 'CAP_CHOWN', 'chown'], 'invalid CapAdd'), [
    'CAP_CHOWN',
    'CAP_SYS_ADMIN',
  ]);
  assert.deepEqual(normalizeCapabilities(['all'], 'invalid CapAdd'), ['ALL']);
});

test('chosenCapabilities() follows add, drop and ALL', () => {
  assert.deepEqual(chosenCapabilities({ add: [], drop: [], privileged: false }), DEFAULT_CAPABILITIES);
  assert.deepEqual(chosenCapabilities({ add: ['CAP_NET_ADMIN'], drop: ['ALL'], privileged: false }), ['CAP_NET_ADMIN']);
  assert.ok(!chosenCapabilities({ add: ['ALL'], drop: ['CAP_CHOWN'], privileged: false }).includes('CAP_CHOWN'));
  assert.ok(chosenCapabilities({ add: [], drop: ['ALL'], privileged: true }).includes('CAP_SYS_ADMIN'));
});

test('capabilitySets() leaves others than root only the bound, and nobody more than the daemon has', () => {
  const bounding = new Set(['CAP_CHOWN']);
  assert.deepEqual(capabilitySets(['CAP_CHOWN', 'CAP_KILL'], { uid: 0, bounding }).effective, ['CAP_CHOWN']);
  assert.deepEqual(capabilitySets(['CAP_CHOWN'], { uid: 5, bounding }), {
    bounding: ['CAP_CHOWN'],
    effective: [],
    permitted: [],
  });
});

test('mergeEnvironment() replaces in place, appends, and removes bare names', () => {
  assert.deepEqual(mergeEnvironment(['A=1', 'B=2'], ['B=3', 'C=4', 'A']), ['B=3', 'C=4']);
});

test('containerEnvironment() has PATH, HOSTNAME and for terminals TERM, unless configured', () => {
  const environment = containerEnvironment({ configured: ['PATH=/x', 'A=b'], hostname: 'h', terminal: true });
  assert.deepEqual(environment, ['PATH=/x', 'HOSTNAME=h', 'TERM=xterm', 'A=b']);
  assert.deepEqual(withHome(['HOME=/a'], '/b'), ['HOME=/a']);
});

test('rlimits() lets the own limit win and clamps where limits may not be raised', () => {
  const own = [{ Name: 'nofile', Soft: 5000, Hard: 9000 }];
  const defaults = [
    { Name: 'nofile', Soft: 1, Hard: 1 },
    { Name: 'core', Soft: -1, Hard: -1 },
  ];
  assert.deepEqual(rlimits(own, defaults, { hard: { nofile: 4096 }, mayRaise: false }), [
    { type: 'RLIMIT_NOFILE', soft: 4096, hard: 4096 },
    { type: 'RLIMIT_CORE', soft: INFINITY_LIMIT, hard: INFINITY_LIMIT },
  ]);
  assert.equal(rlimits(own, [], { hard: { nofile: 4096 }, mayRaise: true })[0]?.hard, 9000);
});

test('parseHardLimits() reads proc_pid_limits(5)', () => {
  const text = `Limit                     Soft Limit           Hard Limit           Units
Max cpu time              unlimited            unlimited            seconds
Max open files            1024                 524288               files
`;
  assert.deepEqual(parseHardLimits(text), { cpu: undefined, nofile: 524288 });
});

test('resourceLimits() leaves out what is not asked for', () => {
  assert.deepEqual(resourceLimits({ Memory: 0, CpuShares: 0, PidsLimit: null }), {});
  assert.deepEqual(resourceLimits({ Memory: 100, MemorySwap: -1, NanoCpus: 5e8, PidsLimit: 10, CpusetCpus: '0' }), {
    memory: { limit: 100, swap: -1 },
    cpu: { period: 100_000, quota: 50_000, cpus: '0' },
    pids: { limit: 10 },
  });
});

test('parseDeviceRule() reads a rule and refuses a malformed one', () => {
  assert.deepEqual(parseDeviceRule('c 42:* rmw'), { allow: true, type: 'c', major: 42, access: 'rmw' });
  assert.throws(() => parseDeviceRule('x 1:1 r'), /invalid device cgroup rule format: 'x 1:1 r'/);
});

test('parseSecurityOptions() reads both separators', () => {
  assert.deepEqual(parseSecurityOptions(['no-new-privileges', 'seccomp:unconfined', 'label=disable']), {
    noNewPrivileges: true,
    seccomp: 'unconfined',
    writableCgroups: false,
    userNamespace: undefined,
    appArmor: '',
    labels: ['disable'],
  });
  const own = parseSecurityOptions(['userns=private', 'apparmor=mine', 'no-new-privileges=false']);
  assert.deepEqual([own.userNamespace, own.appArmor, own.noNewPrivileges], ['private', 'mine', false]);
  assert.throws(() => parseSecurityOptions(['userns=host']), /invalid --security-opt 2/);
  assert.throws(() => parseSecurityOptions(['no-new-privileges=perhaps']), /invalid --security-opt 2/);
});

const plainMounts = {
  privileged: false,
  writableCgroups: false,
  readOnlyRoot: false,
  networkFiles: undefined,
  volumes: [],
  withoutShm: false,
  shmPath: undefined,
  shmSizeBytes: 64,
  init: undefined,
};

test('containerMounts() leaves /dev/shm out for --ipc none', () => {
  const places = (withoutShm: boolean) =>
    containerMounts({ ...plainMounts, withoutShm }).map((mount) => mount.destination);
  assert.ok(places(false).includes('/dev/shm'));
  assert.ok(!places(true).includes('/dev/shm'));
});

test('containerMounts() makes cgroups writable without the rest of /sys', () => {
  const mounts = containerMounts({ ...plainMounts, writableCgroups: true });
  const isWritable = (place: string) => mounts.find(({ destination }) => destination === place)?.options.includes('rw');
  assert.deepEqual([isWritable('/sys/fs/cgroup'), isWritable('/sys')], [true, false]);
});

test('containerMounts() gives way to a mount of the user at the same place', () => {
  const mounts = containerMounts({
    ...plainMounts,
    networkFiles: { hostnamePath: '/d/hostname', hostsPath: '/d/hosts', resolvConfPath: '/d/resolv.conf' },
    volumes: [
      { destination: '/etc/hosts', type: 'bind', source: '/my/hosts', options: ['rbind'] },
      { destination: '/dev/shm', type: 'bind', source: '/my/shm', options: ['rbind'] },
    ],
    init: { hostPath: '/usr/bin/tini', path: '/sbin/docker-init' },
  });
  const at = (destination: string) =>
    mounts.filter((mount) => mount.destination === destination).map(({ source }) => source);
  assert.deepEqual(at('/etc/hosts'), ['/my/hosts']);
  assert.deepEqual(at('/dev/shm'), ['/my/shm']);
  assert.deepEqual(at('/etc/hostname'), ['/d/hostname']);
  assert.deepEqual(at('/sbin/docker-init'), ['/usr/bin/tini']);
});

test('containerMounts() lays the files of the network over a volume above them', () => {
  const mounts = containerMounts({
    ...plainMounts,
    networkFiles: { hostnamePath: '/d/hostname', hostsPath: '/d/hosts', resolvConfPath: '/d/resolv.conf' },
    volumes: [{ destination: '/etc', type: 'bind', source: '/my/etc', options: ['rbind'] }],
  }).map(({ destination }) => destination);
  assert.ok(mounts.indexOf('/etc') < mounts.indexOf('/etc/hosts'));
});

test('containerMounts() keeps /proc to itself', () => {
  const at = (destination: string) => () =>
    containerMounts({ ...plainMounts, volumes: [{ destination, type: 'bind', source: '/x', options: ['rbind'] }] });
  assert.throws(at('/proc/sys'), /"\/proc\/sys" cannot be mounted because it is inside \/proc/);
  assert.throws(at('/proc'), /because it is not of type proc/);
  assert.doesNotThrow(at('/proc/meminfo'));
});

test('withHome() fills in an empty HOME', () => {
  assert.deepEqual(withHome(['A=b', 'HOME='], '/root'), ['A=b', 'HOME=/root']);
  assert.deepEqual(withHome(['HOME=/x'], '/root'), ['HOME=/x']);
});
