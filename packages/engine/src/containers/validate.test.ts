import assert from 'node:assert/strict';
import test from 'node:test';
import type { ContainerConfig, HostConfig } from '@wharf/wire/docker/types';
import type { CgroupFacts } from '../system/cgroup-facts.ts';
import { validateConfig } from './validate-config.ts';
import { validateHostConfig, validateSharedNetwork } from './validate-host.ts';
import { checkResources } from './validate-resources.ts';

const able: CgroupFacts = {
  version: '1',
  memoryLimit: true,
  swapLimit: true,
  memoryReservation: true,
  swappiness: true,
  oomKillDisable: true,
  kernelMemory: true,
  kernelMemoryTcp: true,
  cpuCfs: true,
  cpuShares: true,
  cpuRealtime: true,
  cpuSet: true,
  pidsLimit: true,
  blkioWeight: true,
  blkioWeightDevice: true,
  blkioThrottle: true,
};
const megabyte = 1024 * 1024;

const refusals: readonly (readonly [HostConfig, RegExp])[] = [
  [{ AutoRemove: true, RestartPolicy: { Name: 'always' } }, /can't create 'AutoRemove' container with restart policy/],
  [{ RestartPolicy: { Name: 'sometimes' } }, /invalid restart policy: unknown policy 'sometimes'/],
  [{ RestartPolicy: { Name: 'always', MaximumRetryCount: 2 } }, /can only be used with 'on-failure'/],
  [{ RestartPolicy: { Name: 'on-failure', MaximumRetryCount: -1 } }, /cannot be negative/],
  [{ CapAdd: ['NO_SUCH'] }, /invalid CapAdd: unknown capability: "CAP_NO_SUCH"/],
  [{ PortBindings: { '80/tcp': [{ HostIp: '', HostPort: 'x' }] } }, /invalid port specification: "x"/],
  [{ PortBindings: { '99999/tcp': [] } }, /invalid port specification: "99999\/tcp"/],
  [{ IpcMode: 'nonsense' }, /invalid IPC mode: nonsense/],
  [{ PidMode: 'nonsense' }, /invalid PID mode: nonsense/],
  [{ UTSMode: 'nonsense' }, /invalid UTS mode: nonsense/],
  [{ CgroupnsMode: 'nonsense' }, /invalid cgroup namespace mode: nonsense/],
  [{ ShmSize: -1 }, /SHM size can not be less than 0/],
  [{ OomScoreAdj: 1001 }, /range for oom score adj is \[-1000, 1000\]/],
  [
    { Ulimits: [{ Name: 'nofile', Soft: 2, Hard: 1 }] },
    /ulimit soft limit must be less than or equal to hard limit: 2 > 1/,
  ],
  [{ SecurityOpt: ['writable-cgroups=1'] }, /invalid --security-opt 2: "writable-cgroups=1"/],
  [{ SecurityOpt: ['nonsense=1'] }, /invalid --security-opt 2: "nonsense=1"/],
  [{ ExtraHosts: ['nonsense'] }, /bad format for add-host: "nonsense"/],
  [{ NetworkMode: 'container' }, /invalid container format container:<name\|id>/],
  [{ Isolation: 'hyperv' }, /invalid isolation \(hyperv\): linux only supports 'default'/],
];

for (const [host, message] of refusals) {
  test(`validateHostConfig() refuses ${JSON.stringify(host)}`, () => {
    assert.throws(() => validateHostConfig(host), { kind: 'invalid-argument', message });
  });
}

const resourceRefusals: readonly (readonly [HostConfig, RegExp])[] = [
  [{ Memory: megabyte }, /Minimum memory limit allowed is 6MB/],
  [{ Memory: 10 * megabyte, MemorySwap: 9 * megabyte }, /Minimum memoryswap limit should be larger than memory limit/],
  [{ MemorySwap: 9 * megabyte }, /You should always set the Memory limit when using Memoryswap limit/],
  [{ Memory: 10 * megabyte, MemoryReservation: 11 * megabyte }, /can not be less than memory reservation limit/],
  [{ MemorySwappiness: 101 }, /valid memory swappiness range is 0-100/],
  [{ NanoCpus: 1e9, CpuPeriod: 1000 }, /Nano CPUs and CPU Period cannot both be set/],
  [{ NanoCpus: 1e15 }, /range of CPUs is from 0.01 to/],
  [{ CpuShares: -1 }, /invalid CPU shares \(-1\): value must be a positive integer/],
  [{ CpusetCpus: '1-42,,' }, /Invalid value 1-42,, for cpuset cpus/],
  [{ CpusetMems: '42-3,1--' }, /Invalid value 42-3,1-- for cpuset mems/],
  [{ CpusetMems: '999' }, /Requested memory nodes are not available - requested 999/],
  [{ CpuPeriod: 10 }, /CPU cfs period can not be less than 1ms/],
  [{ CpuQuota: 10 }, /CPU cfs quota can not be less than 1ms/],
  [{ CpusetCpus: '9999' }, /Requested CPUs are not available - requested 9999/],
  [{ CpusetCpus: 'a-b' }, /Invalid value a-b for cpuset cpus/],
  [{ BlkioWeight: 5 }, /Range of blkio weight is from 10 to 1000/],
];

for (const [host, message] of resourceRefusals) {
  test(`checkResources() refuses ${JSON.stringify(host)}`, () => {
    assert.throws(() => checkResources(host, able, { update: false }), { kind: 'invalid-argument', message });
  });
}

test('checkResources() drops what the host cannot limit and says so', () => {
  const given = { Memory: 64 * megabyte, PidsLimit: 5, CpuShares: 10 };
  const { resources, warnings } = checkResources(
    given,
    { ...able, memoryLimit: false, pidsLimit: false, cpuShares: false },
    { update: false },
  );
  assert.equal(resources.Memory, 0);
  assert.equal(resources.PidsLimit, undefined);
  assert.equal(resources.CpuShares, 0);
  assert.equal(warnings.length, 3);
});

test('validateSharedNetwork() refuses what a shared network cannot have', () => {
  const shared: HostConfig = { NetworkMode: 'container:x' };
  const check = (config: ContainerConfig, host: HostConfig) => () =>
    validateSharedNetwork(config, { ...shared, ...host });
  assert.throws(check({}, { Dns: ['1.2.3.4'] }), /conflicting options: dns and the network mode/);
  assert.throws(check({}, { PublishAllPorts: true }), /port publishing and the container type network mode/);
  assert.throws(check({ ExposedPorts: { '1/tcp': {} } }, {}), /port exposing and the container type network mode/);
  assert.doesNotThrow(check({}, {}));
});

test('checkResources() takes a swappiness of -1 for none', () => {
  assert.equal(checkResources({ MemorySwappiness: -1 }, able, { update: false }).resources.MemorySwappiness, undefined);
});

test('checkResources() takes swap alone in an update', () => {
  assert.equal(
    checkResources({ MemorySwap: 99 * megabyte }, able, { update: true }).resources.MemorySwap,
    99 * megabyte,
  );
});

test('validateConfig() cleans the working directory and refuses a relative one', () => {
  assert.equal(validateConfig({ WorkingDir: '/a/../b/' }).WorkingDir, '/b');
  assert.throws(
    () => validateConfig({ WorkingDir: 'a' }),
    /the working directory 'a' is invalid, it needs to be an absolute path/,
  );
});

test('validateConfig() refuses a nameless variable, a long hostname, an unknown signal', () => {
  assert.throws(() => validateConfig({ Env: ['=x'] }), /invalid environment variable: =x/);
  assert.throws(() => validateConfig({ Hostname: 'h'.repeat(65) }), /is too long \(maximum 64 bytes\)/);
  assert.throws(() => validateConfig({ StopSignal: 'SIGNONE' }), /invalid signal: SIGNONE/);
});

const unable: CgroupFacts = {
  ...able,
  memoryReservation: false,
  swappiness: false,
  cpuCfs: false,
  cpuRealtime: false,
  cpuSet: false,
  blkioWeightDevice: false,
  blkioThrottle: false,
};

test('checkResources() drops what the host cannot limit, each with its warning', () => {
  const rate = [{ Path: '/dev/null', Rate: 1 }];
  const asked: HostConfig = {
    MemoryReservation: 20 * megabyte,
    MemorySwappiness: 10,
    CpuQuota: 5000,
    CpusetCpus: '0',
    BlkioWeightDevice: [{ Path: '/dev/null', Weight: 100 }],
    BlkioDeviceReadBps: rate,
    BlkioDeviceWriteIOps: rate,
  };
  const { resources, warnings } = checkResources(asked, unable, { update: false });
  assert.deepEqual(
    warnings.map((text) => /(soft limit|swappiness|CFS|cpuset|weight_device|BPS Block|IOPS Block)/.exec(text)?.[1]),
    ['swappiness', 'soft limit', 'CFS', 'cpuset', 'weight_device', 'BPS Block', 'IOPS Block'],
  );
  assert.deepEqual(resources.BlkioDeviceReadBps, []);
  assert.equal(resources.CpuQuota, 0);
  assert.equal(resources.CpusetCpus, '');
});

test('checkResources() refuses real-time scheduling without the kernel for it, or beyond its period', () => {
  const asked = { CpuRealtimeRuntime: 900 };
  assert.throws(() => checkResources(asked, unable, { update: false }), /does not support CPU real-time scheduler/);
  const more = { CpuRealtimeRuntime: 900, CpuRealtimePeriod: 800 };
  assert.throws(() => checkResources(more, able, { update: false }), /runtime cannot be higher than .* period/);
});
