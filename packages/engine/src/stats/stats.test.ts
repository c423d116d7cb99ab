import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nullLogger, systemClock, ZERO_TIME } from '@wharf/kit';
import type { CgroupStats } from '@wharf/linux/cgroup';
import type { ContainerStatsResponse } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import { parseNetDev, parseSystemCpu } from './proc-files.ts';
import { createStatsService } from './stats.ts';
import { emptyStats, type Sample, toStats, withPrevious } from './stats-json.ts';

const cgroup = (version: 1 | 2): CgroupStats => ({
  version,
  cpu: { totalNs: 300, userNs: 200, systemNs: 100, periods: 1, throttledPeriods: 2, throttledNs: 3 },
  memory: {
    usageBytes: 1000,
    limitBytes: undefined,
    oomKills: 0,
    stat: version === 1 ? { cache: 10, total_inactive_file: 4, odd: 1 } : { anon: 5, inactive_file: 7, odd: 1 },
    ...(version === 1 ? { maxUsageBytes: 2000, failures: 3 } : {}),
  },
  pids: { current: 2, limit: 10 },
  blkio: {
    bytes: [{ major: 8, minor: 0, op: version === 1 ? 'Read' : 'read', value: 512 }],
    operations: [{ major: 8, minor: 0, op: 'Read', value: 1 }],
  },
});
const sample = (version: 1 | 2): Sample => ({
  readAt: '2026-01-01T00:00:00Z',
  cgroup: cgroup(version),
  system: { totalNs: 9000, online: 4 },
  networks: {
    eth0: {
      rx_bytes: 1,
      rx_packets: 2,
      rx_errors: 0,
      rx_dropped: 0,
      tx_bytes: 3,
      tx_packets: 4,
      tx_errors: 0,
      tx_dropped: 0,
    },
  },
  machineMemoryBytes: 1 << 30,
});
const identity = { id: 'abc', name: '/web' };

const record = (pid: number, over: Partial<ContainerRecord> = {}) =>
  ({
    id: 'abc',
    name: 'web',
    config: {},
    hostConfig: {},
    state: { status: pid > 0 ? 'running' : 'exited', pid },
    ...over,
  }) as unknown as ContainerRecord;

async function take(stream: AsyncIterable<ContainerStatsResponse>, count: number): Promise<ContainerStatsResponse[]> {
  const taken: ContainerStatsResponse[] = [];
  const hold = setInterval(() => {}, 1_000);
  for await (const item of stream) if (taken.push(item) === count) break;
  clearInterval(hold);
  return taken;
}

test('parseSystemCpu() sums seven fields and counts CPUs', () => {
  const text = 'cpu  1 2 3 4 5 6 7 100 100 100\ncpu0 1 1 1 1 1 1 1\ncpu1 1 1 1 1 1 1 1\nintr 5\ncpu9 1\n';
  assert.deepEqual(parseSystemCpu(text), { totalNs: 280_000_000, online: 2 });
});

test('parseNetDev() leaves loopback out and takes odd spacing', () => {
  const text = `Inter-|   Receive | Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes
    lo: 10 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0
eth0.1:1234567890 5 1 2 0 0 0 0 42 6 3 4 0 0 0 0
`;
  assert.deepEqual(parseNetDev(text), {
    'eth0.1': {
      rx_bytes: 1234567890,
      rx_packets: 5,
      rx_errors: 1,
      rx_dropped: 2,
      tx_bytes: 42,
      tx_packets: 6,
      tx_errors: 3,
      tx_dropped: 4,
    },
  });
});

test('toStats() has the fields of cgroup v1', () => {
  const stats = toStats(identity, sample(1));
  assert.equal(stats.memory_stats.max_usage, 2000);
  assert.equal(stats.memory_stats.failcnt, 3);
  assert.equal(stats.memory_stats.limit, 1 << 30);
  assert.equal(stats.memory_stats.stats?.total_inactive_file, 4);
  assert.equal(stats.memory_stats.stats?.total_rss, 0);
  assert.ok(!('odd' in (stats.memory_stats.stats ?? {})));
  assert.deepEqual(stats.blkio_stats.io_queue_recursive, []);
  assert.equal(stats.blkio_stats.io_serviced_recursive?.length, 1);
  assert.equal(stats.cpu_stats.online_cpus, 4);
});

test('toStats() has the fields of cgroup v2', () => {
  const stats = toStats(identity, sample(2));
  assert.equal(stats.memory_stats.max_usage, undefined);
  assert.equal(stats.memory_stats.stats?.inactive_file, 7);
  assert.ok(!('total_inactive_file' in (stats.memory_stats.stats ?? {})));
  assert.equal(stats.blkio_stats.io_serviced_recursive, null);
  assert.deepEqual(stats.blkio_stats.io_service_bytes_recursive, [{ major: 8, minor: 0, op: 'read', value: 512 }]);
  assert.deepEqual(stats.pids_stats, { current: 2, limit: 10 });
});

test('withPrevious() moves the older sample into the pre fields', () => {
  const first = toStats(identity, sample(2));
  const second = withPrevious({ ...first, read: '2026-01-01T00:00:01Z' }, first);
  assert.equal(second.preread, first.read);
  assert.deepEqual(second.precpu_stats, first.cpu_stats);
  assert.equal(withPrevious(first, undefined).preread, ZERO_TIME);
});

test('stream() reads a container once for all who watch and stops without watchers', async () => {
  let reads = 0;
  const service = createStatsService({
    clock: systemClock,
    log: nullLogger,
    find: () => record(1),
    read: () => {
      reads += 1;
      return { ...sample(2), readAt: `2026-01-01T00:00:0${reads % 10}Z` };
    },
    intervalMs: 5,
  });
  const { signal } = new AbortController();
  const [a, b] = await Promise.all([
    take(service.stream(record(1), signal), 3),
    take(service.stream(record(1), signal), 3),
  ]);
  assert.equal(a[1]?.read, b[1]?.read);
  assert.equal(a[2]?.preread, a[1]?.read);
  const before = reads;
  await new Promise((resolve) => setTimeout(resolve, 30));
  assert.equal(reads, before);
});

test('stream() gives zeros for a stopped container and ends with its removal', async () => {
  let found: ContainerRecord | undefined = record(0);
  const service = createStatsService({ clock: systemClock, log: nullLogger, find: () => found, intervalMs: 5 });
  const { signal } = new AbortController();
  const seen: ContainerStatsResponse[] = [];
  const hold = setInterval(() => {}, 1_000);
  for await (const stats of service.stream(record(0), signal)) if (seen.push(stats) === 2) found = undefined;
  clearInterval(hold);
  assert.deepEqual(seen[0], emptyStats(identity));
  assert.equal(seen[0]?.read, ZERO_TIME);
});

test('stream() ends when its signal aborts', async () => {
  const service = createStatsService({ clock: systemClock, log: nullLogger, find: () => record(0), intervalMs: 5 });
  const controller = new AbortController();
  const hold = setInterval(() => {}, 1_000);
  for await (const _ of service.stream(record(0), controller.signal)) controller.abort();
  clearInterval(hold);
});

test('pair() and sample() read this very process', async () => {
  const service = createStatsService({
    clock: systemClock,
    log: nullLogger,
    find: () => record(process.pid),
    intervalMs: 5,
  });
  const one = service.sample(record(process.pid));
  assert.equal(one.preread, ZERO_TIME);
  assert.ok(Number(one.cpu_stats.system_cpu_usage) > 0);
  const hold = setInterval(() => {}, 1_000);
  const two = await service.pair(record(process.pid), new AbortController().signal);
  clearInterval(hold);
  assert.notEqual(two.preread, ZERO_TIME);
  assert.ok(two.read > two.preread);
  assert.deepEqual(await service.pair(record(0), new AbortController().signal), emptyStats(identity));
});
