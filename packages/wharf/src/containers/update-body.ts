import type { FlagTable, FlagValues } from '../cli/flags.ts';
import { parseUint16 } from './create/flags.ts';
import { parseCpus, parseRestartPolicy, parseSwap } from './values/limits.ts';

/** The flags of `update`. */
export const UPDATE_FLAGS = {
  'blkio-weight': {
    kind: 'string',
    type: 'uint16',
    parse: parseUint16,
    help: 'Block IO (relative weight), between 10 and 1000, or 0 to disable (default 0)',
  },
  'cpu-period': { kind: 'int', help: 'Limit CPU CFS (Completely Fair Scheduler) period' },
  'cpu-quota': { kind: 'int', help: 'Limit CPU CFS (Completely Fair Scheduler) quota' },
  'cpu-rt-period': { kind: 'int', help: 'Limit the CPU real-time period in microseconds' },
  'cpu-rt-runtime': { kind: 'int', help: 'Limit the CPU real-time runtime in microseconds' },
  'cpu-shares': { kind: 'int', short: 'c', help: 'CPU shares (relative weight)' },
  cpus: { kind: 'string', type: 'decimal', parse: parseCpus, help: 'Number of CPUs' },
  'cpuset-cpus': { kind: 'string', help: 'CPUs in which to allow execution (0-3, 0,1)' },
  'cpuset-mems': { kind: 'string', help: 'MEMs in which to allow execution (0-3, 0,1)' },
  'kernel-memory': { kind: 'bytes', hidden: true, help: 'Kernel memory limit (deprecated)' },
  memory: { kind: 'bytes', short: 'm', help: 'Memory limit' },
  'memory-reservation': { kind: 'bytes', help: 'Memory soft limit' },
  'memory-swap': {
    kind: 'string',
    type: 'bytes',
    parse: parseSwap,
    help: 'Swap limit equal to memory plus swap: -1 to enable unlimited swap',
  },
  'pids-limit': { kind: 'int', help: 'Tune container pids limit (set -1 for unlimited)' },
  restart: {
    kind: 'string',
    complete: ['always', 'no', 'on-failure', 'unless-stopped'],
    help: 'Restart policy to apply when a container exits',
  },
} as const satisfies FlagTable;

type UpdateFlags = FlagValues<typeof UPDATE_FLAGS>;

/** True when the line has any of the flags. */
export function isAnythingGiven(given: (name: keyof UpdateFlags) => boolean): boolean {
  return (Object.keys(UPDATE_FLAGS) as (keyof UpdateFlags)[]).some((name) => given(name));
}

/** The body of `POST /containers/{id}/update`; 0 and "" leave what is there. */
export function updateBody(flags: UpdateFlags) {
  return {
    CpuShares: flags['cpu-shares'] ?? 0,
    Memory: flags.memory ?? 0,
    NanoCpus: flags.cpus ?? 0,
    CgroupParent: '',
    BlkioWeight: flags['blkio-weight'] ?? 0,
    ...{ BlkioWeightDevice: null, BlkioDeviceReadBps: null, BlkioDeviceWriteBps: null },
    ...{ BlkioDeviceReadIOps: null, BlkioDeviceWriteIOps: null },
    CpuPeriod: flags['cpu-period'] ?? 0,
    CpuQuota: flags['cpu-quota'] ?? 0,
    CpuRealtimePeriod: flags['cpu-rt-period'] ?? 0,
    CpuRealtimeRuntime: flags['cpu-rt-runtime'] ?? 0,
    CpusetCpus: flags['cpuset-cpus'] ?? '',
    CpusetMems: flags['cpuset-mems'] ?? '',
    ...{ Devices: null, DeviceCgroupRules: null, DeviceRequests: null },
    ...(flags['kernel-memory'] ? { KernelMemory: flags['kernel-memory'] } : {}),
    MemoryReservation: flags['memory-reservation'] ?? 0,
    MemorySwap: flags['memory-swap'] ?? 0,
    ...{ MemorySwappiness: null, OomKillDisable: null },
    PidsLimit: flags['pids-limit'] || null,
    ...{ Ulimits: null, CpuCount: 0, CpuPercent: 0, IOMaximumIOps: 0, IOMaximumBandwidth: 0 },
    RestartPolicy: flags.restart ? parseRestartPolicy(flags.restart) : { Name: '', MaximumRetryCount: 0 },
  };
}
