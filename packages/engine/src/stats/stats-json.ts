import { ZERO_TIME } from '@wharf/kit';
import type { CgroupStats, Counter } from '@wharf/linux/cgroup';
import type {
  ContainerBlkioStats,
  ContainerCPUStats,
  ContainerMemoryStats,
  ContainerNetworkStats,
  ContainerStatsResponse,
} from '@wharf/wire/docker/types';
import type { SystemCpu } from './proc-files.ts';

/** Everything that one sample of a running container is made of. */
export interface Sample {
  readonly readAt: string;
  readonly cgroup: CgroupStats;
  readonly system: SystemCpu;
  /** Absent where the container has no network of its own to count. */
  readonly networks: Readonly<Record<string, ContainerNetworkStats>> | undefined;
  readonly machineMemoryBytes: number;
}

export interface Identity {
  readonly id: string;
  /** With the leading slash. */
  readonly name: string;
}

const noCpu: ContainerCPUStats = {
  cpu_usage: { total_usage: 0, usage_in_kernelmode: 0, usage_in_usermode: 0 },
  throttling_data: { periods: 0, throttled_periods: 0, throttled_time: 0 },
};

const noBlkio: ContainerBlkioStats = {
  io_service_bytes_recursive: null,
  io_serviced_recursive: null,
  io_queue_recursive: null,
  io_service_time_recursive: null,
  io_wait_time_recursive: null,
  io_merged_recursive: null,
  io_time_recursive: null,
  sectors_recursive: null,
};

/** What Docker says of a container that does not run. */
export function emptyStats({ id, name }: Identity): ContainerStatsResponse {
  return {
    id,
    name,
    os_type: 'linux',
    read: ZERO_TIME,
    preread: ZERO_TIME,
    cpu_stats: noCpu,
    precpu_stats: noCpu,
    memory_stats: {},
    pids_stats: {},
    blkio_stats: noBlkio,
    num_procs: 0,
    storage_stats: {},
  };
}

/** A sample in Docker's shape; which memory and block fields there are depends on the cgroup version, as in dockerd. */
export function toStats(identity: Identity, sample: Sample): ContainerStatsResponse {
  const { cgroup, networks } = sample;
  return {
    ...emptyStats(identity),
    read: sample.readAt,
    cpu_stats: cpuStats(cgroup, sample.system),
    memory_stats: memoryStats(cgroup, sample.machineMemoryBytes),
    pids_stats: {
      ...(cgroup.pids.current === 0 ? {} : { current: cgroup.pids.current }),
      ...(cgroup.pids.limit === undefined ? {} : { limit: cgroup.pids.limit }),
    },
    blkio_stats: blkioStats(cgroup),
    ...(networks === undefined || Object.keys(networks).length === 0 ? {} : { networks }),
  };
}

/** Puts the sample before into the `pre` fields, from which clients take the CPU percentage. */
export function withPrevious(
  stats: ContainerStatsResponse,
  previous: ContainerStatsResponse | undefined,
): ContainerStatsResponse {
  return previous === undefined ? stats : { ...stats, preread: previous.read, precpu_stats: previous.cpu_stats };
}

function cpuStats({ cpu }: CgroupStats, system: SystemCpu): ContainerCPUStats {
  return {
    cpu_usage: {
      total_usage: cpu.totalNs,
      ...(cpu.perCpuNs === undefined ? {} : { percpu_usage: cpu.perCpuNs }),
      usage_in_kernelmode: cpu.systemNs,
      usage_in_usermode: cpu.userNs,
    },
    system_cpu_usage: system.totalNs,
    online_cpus: system.online,
    throttling_data: {
      periods: cpu.periods,
      throttled_periods: cpu.throttledPeriods,
      throttled_time: cpu.throttledNs,
    },
  };
}

const v1Keys =
  'cache rss rss_huge mapped_file dirty writeback pgpgin pgpgout pgfault pgmajfault inactive_anon active_anon inactive_file active_file unevictable'.split(
    ' ',
  );
const memoryKeys: Readonly<Record<1 | 2, readonly string[]>> = {
  1: [...v1Keys, 'hierarchical_memory_limit', 'hierarchical_memsw_limit', ...v1Keys.map((key) => `total_${key}`)],
  2: 'anon file kernel_stack slab sock shmem file_mapped file_dirty file_writeback anon_thp inactive_anon active_anon inactive_file active_file unevictable slab_reclaimable slab_unreclaimable pgfault pgmajfault workingset_refault workingset_activate workingset_nodereclaim pgrefill pgscan pgsteal pgactivate pgdeactivate pglazyfree pglazyfreed thp_fault_alloc thp_collapse_alloc'.split(
    ' ',
  ),
};

function memoryStats({ memory, version }: CgroupStats, machineMemoryBytes: number): ContainerMemoryStats {
  const stats: Record<string, Counter> = {};
  for (const key of memoryKeys[version]) stats[key] = memory.stat[key] ?? 0;
  const failures = version === 1 ? memory.failures : memory.oomKills;
  return {
    usage: memory.usageBytes,
    ...(memory.maxUsageBytes === undefined ? {} : { max_usage: memory.maxUsageBytes }),
    stats,
    ...(failures === undefined || failures === 0 ? {} : { failcnt: failures }),
    limit: Math.min(memory.limitBytes ?? machineMemoryBytes, machineMemoryBytes),
  };
}

function blkioStats({ blkio, version }: CgroupStats): ContainerBlkioStats {
  if (version === 2) {
    return { ...noBlkio, io_service_bytes_recursive: blkio.bytes.length === 0 ? null : blkio.bytes };
  }
  return {
    io_service_bytes_recursive: blkio.bytes,
    io_serviced_recursive: blkio.operations,
    io_queue_recursive: [],
    io_service_time_recursive: [],
    io_wait_time_recursive: [],
    io_merged_recursive: [],
    io_time_recursive: [],
    sectors_recursive: [],
  };
}
