import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKind, newId, nullLogger, systemClock } from '@wharf/kit';
import type { CgroupLayout } from '@wharf/linux/cgroup';
import { openMemoryStore } from '@wharf/store';
import type { ImageSummary } from '@wharf/wire/docker/types';
import type { ContainerRecord, ContainerStatus } from '../containers/container.ts';
import { defaultEngineConfig } from '../engine-config.ts';
import type { OciRuntime, Runtimes } from '../runtime/runtime.ts';
import { cgroupWarnings, readCgroupFacts } from './cgroup-facts.ts';
import type { Usage } from './disk-usage.ts';
import { parseOsRelease } from './host-facts.ts';
import { createSystemService, parseUsageKinds, shapeInfo, shapeUsage } from './system.ts';
import { parseToolVersion } from './tool-versions.ts';

const container = (status: ContainerStatus) =>
  ({
    id: newId(),
    name: 'web',
    createdAt: '2026-01-01T00:00:00.5Z',
    path: 'sh',
    args: ['-c', 'true'],
    config: { Image: 'busybox' },
    hostConfig: {},
    imageId: 'sha256:1',
    endpoints: [],
    mounts: [],
    state: { status, exitCode: 3 },
  }) as unknown as ContainerRecord;

const image = (over: Partial<ImageSummary>) => ({ Containers: 0, Size: 100, SharedSize: 0, ...over }) as ImageSummary;

function setUp(records: readonly ContainerRecord[] = []) {
  const calls = { images: 0 };
  const runtime = { path: '/nonexistent/tool' } as OciRuntime;
  const runtimes: Runtimes = {
    defaultName: 'crun',
    names: ['crun'],
    get: () => runtime,
    monitorPath: '/nonexistent/tool',
  };
  const store = openMemoryStore();
  const config = defaultEngineConfig({
    dataRoot: '/data',
    execRoot: '/exec',
    labels: ['a=b'],
    insecureRegistries: ['10.0.0.0/8', 'r:5000'],
  });
  const service = createSystemService({
    config,
    store,
    clock: systemClock,
    log: nullLogger,
    runtimes,
    snapshots: { name: 'overlayfs' },
    images: {
      count: () => 7,
      diskUsage: async () => {
        calls.images += 1;
        return { totalBytes: 1000, images: [image({ Containers: 1 }), image({ SharedSize: 40 })] };
      },
    },
    volumes: { usage: async () => [], driverNames: () => ['local'] },
    containers: {
      list: () => records,
    },
  });
  return { service, store, calls };
}

test('info() has what the docker CLI prints', async () => {
  const { service } = setUp([container('running'), container('paused'), container('exited'), container('restarting')]);
  const info = await service.info();
  assert.deepEqual(
    [info.Containers, info.ContainersRunning, info.ContainersPaused, info.ContainersStopped],
    [4, 1, 1, 2],
  );
  assert.equal(info.ID, service.id);
  assert.equal(info.Images, 7);
  assert.equal(info.Driver, 'overlayfs');
  assert.deepEqual(info.DriverStatus, [['driver-type', 'io.containerd.snapshotter.v1']]);
  assert.deepEqual(info.Runtimes, { crun: { path: '/nonexistent/tool' } });
  assert.ok(info.NCPU > 0 && info.MemTotal > 0 && info.NFd > 0);
  assert.match(info.Architecture, /^(x86_64|aarch64)$/);
  assert.ok(info.SecurityOptions?.includes('name=seccomp,profile=builtin'));
  assert.deepEqual(info.RegistryConfig?.InsecureRegistryCIDRs, ['::1/128', '127.0.0.0/8', '10.0.0.0/8']);
  assert.equal(info.RegistryConfig?.IndexConfigs?.['r:5000']?.Secure, false);
  assert.equal(info.ServerVersion, '0.1.0');
});

test('the id stays with the store', () => {
  const { service, store } = setUp();
  assert.equal(store.table<string>('daemon').get('id'), service.id);
});

test('shapeInfo() adds and removes fields by version', async () => {
  const info = await setUp().service.info();
  const old = shapeInfo(info, 24, { kernelMemory: true, kernelMemoryTcp: false }) as Record<string, unknown>;
  assert.equal(old.BridgeNfIptables, false);
  assert.equal(old.FirewallBackend, undefined);
  assert.deepEqual([old.KernelMemory, old.KernelMemoryTCP], [true, false]);
  assert.ok((old.SecurityOptions as string[]).includes('seccomp'));
  assert.deepEqual(old.RuncCommit, { ID: 'N/A', Expected: 'N/A' });
  assert.ok('AllowNondistributableArtifactsCIDRs' in (old.RegistryConfig as object));
  const now = shapeInfo(info, 56, { kernelMemory: true, kernelMemoryTcp: true }) as Record<string, unknown>;
  assert.ok(!('BridgeNfIptables' in now));
  assert.deepEqual(now.FirewallBackend, { Driver: 'nftables' });
});

test('versionInfo() names engine, runtime and monitor', async () => {
  const version = await setUp().service.versionInfo();
  assert.deepEqual(
    version.Components?.map(({ Name }) => Name),
    ['Engine', 'crun', 'conmon'],
  );
  assert.equal(version.Version, '0.1.0');
  assert.equal(version.MinAPIVersion, '1.24');
  assert.match(version.Arch, /^(amd64|arm64)$/);
});

test('diskUsage() measures what is asked for, once for callers at one time', async () => {
  const { service, calls } = setUp([container('running'), container('exited'), container('dead')]);
  const all = parseUsageKinds([]);
  const [usage] = await Promise.all([service.diskUsage(all), service.diskUsage(all)]);
  assert.equal(calls.images, 1);
  assert.equal(usage.images?.images.length, 2);
  assert.deepEqual(Object.keys(await service.diskUsage(parseUsageKinds(['volume']))), ['images', 'volumes']);
  assert.throws(
    () => parseUsageKinds(['bogus']),
    (error) => isKind(error, 'invalid-argument') && error.message === 'unknown object type: bogus',
  );
});

test('shapeUsage() gives lists to old clients, summaries to new ones, both to those in between', async () => {
  const { service } = setUp([container('running'), container('exited')]);
  const containers = ['running', 'exited'].map((State) => ({ State, SizeRw: 10 })) as unknown as NonNullable<
    Usage['containers']
  >;
  const usage = { ...(await service.diskUsage(parseUsageKinds([]))), containers };
  const old = shapeUsage(usage, { minor: 40, verbose: true });
  assert.deepEqual(
    Object.keys(old).sort((a, b) => (a < b ? -1 : 1)),
    ['BuildCache', 'BuilderSize', 'Containers', 'Images', 'LayersSize', 'Volumes'],
  );
  assert.equal(old.LayersSize, 1000);
  const both = shapeUsage(usage, { minor: 52, verbose: false });
  assert.deepEqual(both.ImageUsage, { ActiveCount: 1, TotalCount: 2, Reclaimable: 60, TotalSize: 1000 });
  assert.deepEqual(both.ContainerUsage, { ActiveCount: 1, TotalCount: 2, Reclaimable: 10, TotalSize: 20 });
  assert.equal(both.Images?.length, 2);
  const verbose = shapeUsage(usage, { minor: 52, verbose: true });
  assert.equal(verbose.Images, undefined);
  assert.equal(verbose.ContainerUsage?.Items?.length, 2);
  const volumesOnly = shapeUsage(await service.diskUsage(parseUsageKinds(['volume'])), { minor: 51, verbose: false });
  assert.deepEqual(volumesOnly, { LayersSize: 0, Images: null, Containers: null, Volumes: [], BuildCache: null });
});

test('readCgroupFacts() tells the three layouts apart', () => {
  const v2: CgroupLayout = {
    kind: 'v2',
    v1: new Map(),
    unified: '/cg',
    unifiedControllers: ['cpu', 'io', 'memory', 'pids', 'cpuset'],
  };
  const facts = readCgroupFacts(v2, () => false);
  assert.equal(facts.version, '2');
  assert.ok(facts.memoryLimit && facts.cpuCfs && facts.cpuSet && facts.pidsLimit && facts.blkioThrottle);
  assert.deepEqual(cgroupWarnings({ ...facts, swapLimit: true }), []);
  const v1: CgroupLayout = {
    kind: 'hybrid',
    v1: new Map([
      ['memory', '/cg/memory'],
      ['cpu', '/cg/cpu'],
    ]),
    unified: '/cg/unified',
    unifiedControllers: [],
  };
  const older = readCgroupFacts(v1, (path) => path === '/cg/memory/memory.oom_control');
  assert.equal(older.version, '1');
  assert.ok(older.memoryLimit && older.oomKillDisable && !older.swapLimit && !older.pidsLimit);
  assert.ok(cgroupWarnings(older).includes('WARNING: No blkio throttle.read_bps_device support'));
  assert.ok(cgroupWarnings(older).includes('WARNING: No swap limit support'));
});

test('parseOsRelease() and parseToolVersion() read what programs write', () => {
  const os = parseOsRelease('NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID=12\n# no\n');
  assert.equal(os.get('PRETTY_NAME'), 'Debian GNU/Linux 12 (bookworm)');
  assert.equal(os.get('VERSION_ID'), '12');
  assert.deepEqual(parseToolVersion('crun version 1.8.1\ncommit: f8a096be\nspec: 1.0.0'), {
    version: '1.8.1',
    commit: 'f8a096be',
  });
  assert.deepEqual(parseToolVersion('conmon version 2.1.6\ncommit: unknown'), { version: '2.1.6', commit: 'unknown' });
  assert.deepEqual(parseToolVersion('nothing here'), { version: 'N/A', commit: 'N/A' });
});
