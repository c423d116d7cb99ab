import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { hasErrno, WharfError } from '@wharf/kit';
import type { HostConfig, Resources } from '@wharf/wire/docker/types';
import type { CgroupFacts } from '../system/cgroup-facts.ts';
import { MIN_MEMORY_BYTES } from './limits.ts';

const refuse = (message: string) => new WharfError('invalid-argument', message);

export interface CheckedResources<T> {
  readonly resources: T;
  readonly warnings: readonly string[];
}

/**
 * Checks limits against each other and against what this host's cgroups can do; what they cannot is dropped with Docker's
 * warning. Throws `invalid-argument` in Docker's words.
 */
export function checkResources<T extends Resources>(
  given: T,
  facts: CgroupFacts,
  options: { readonly update: boolean },
): CheckedResources<T> {
  const warnings: string[] = [];
  const draft: { -readonly [K in keyof HostConfig]: HostConfig[K] } = { ...given };
  checkMemory(draft, facts, warnings, options.update);
  checkCpu(draft, facts, warnings);
  checkBlockIo(draft, facts, warnings);
  return { resources: draft as T, warnings };
}

type Draft = { -readonly [K in keyof HostConfig]: HostConfig[K] };

function checkMemory(draft: Draft, facts: CgroupFacts, warnings: string[], update: boolean): void {
  const memory = draft.Memory ?? 0;
  const swap = draft.MemorySwap ?? 0;
  const reservation = draft.MemoryReservation ?? 0;
  if (memory !== 0 && memory < MIN_MEMORY_BYTES) throw refuse('Minimum memory limit allowed is 6MB');
  if (memory > 0 && !facts.memoryLimit) {
    warnings.push(
      'Your kernel does not support memory limit capabilities or the cgroup is not mounted. Limitation discarded.',
    );
    draft.Memory = 0;
    draft.MemorySwap = -1;
  }
  if (memory > 0 && swap > 0 && swap < memory) {
    throw refuse('Minimum memoryswap limit should be larger than memory limit, see usage');
  }
  if (memory === 0 && swap > 0 && !update) {
    throw refuse('You should always set the Memory limit when using Memoryswap limit, see usage');
  }
  if (memory > 0 && swap !== -1 && !facts.swapLimit) {
    // Unasked for, it is no loss: the user did not set swap.
    if (swap > 0) {
      warnings.push(
        'Your kernel does not support swap limit capabilities or the cgroup is not mounted. Memory limited without swap.',
      );
    }
    draft.MemorySwap = -1;
  }
  checkSwappiness(draft, facts, warnings);
  if (reservation > 0 && !facts.memoryReservation) {
    warnings.push(
      'Your kernel does not support memory soft limit capabilities or the cgroup is not mounted. Limitation discarded.',
    );
    draft.MemoryReservation = 0;
  }
  if (reservation > 0 && reservation < MIN_MEMORY_BYTES) throw refuse('Minimum memory reservation allowed is 6MB');
  if (memory > 0 && reservation > 0 && memory < reservation) {
    throw refuse('Minimum memory limit can not be less than memory reservation limit, see usage');
  }
  if (draft.OomKillDisable === true && !facts.oomKillDisable) {
    warnings.push('Your kernel does not support OomKillDisable. OomKillDisable discarded.');
    draft.OomKillDisable = undefined;
  }
  if (draft.OomKillDisable === true && memory === 0) {
    warnings.push(
      'OOM killer is disabled for the container, but no memory limit is set, this can result in the system running out of resources.',
    );
  }
  if ((draft.PidsLimit ?? 0) > 0 && !facts.pidsLimit) {
    warnings.push(
      'Your kernel does not support PIDs limit capabilities or the cgroup is not mounted. PIDs limit discarded.',
    );
    draft.PidsLimit = undefined;
  }
}

function checkSwappiness(draft: Draft, facts: CgroupFacts, warnings: string[]): void {
  const swappiness = draft.MemorySwappiness ?? undefined;
  if (swappiness === undefined) return;
  if (swappiness === -1) {
    // How clients say that they do not care.
    draft.MemorySwappiness = undefined;
    return;
  }
  if (swappiness < 0 || swappiness > 100) {
    throw refuse(`Invalid value: ${swappiness}, valid memory swappiness range is 0-100`);
  }
  if (!facts.swappiness) {
    warnings.push(
      'Your kernel does not support memory swappiness capabilities or the cgroup is not mounted. Memory swappiness discarded.',
    );
    draft.MemorySwappiness = undefined;
  }
}

function checkCpu(draft: Draft, facts: CgroupFacts, warnings: string[]): void {
  const nano = draft.NanoCpus ?? 0;
  const period = draft.CpuPeriod ?? 0;
  const quota = draft.CpuQuota ?? 0;
  if (nano > 0 && period > 0) throw refuse('Conflicting options: Nano CPUs and CPU Period cannot both be set');
  if (nano > 0 && quota > 0) throw refuse('Conflicting options: Nano CPUs and CPU Quota cannot both be set');
  if (nano > 0 && !facts.cpuCfs) {
    throw refuse(
      'NanoCPUs can not be set, as your kernel does not support CPU CFS scheduler or the cgroup is not mounted',
    );
  }
  const cpus = availableParallelism();
  if (nano < 0 || nano > cpus * 1e9) {
    throw refuse(`range of CPUs is from 0.01 to ${cpus}.00, as there are only ${cpus} CPUs available`);
  }
  if ((period !== 0 || quota !== 0) && !facts.cpuCfs) {
    warnings.push('Your kernel does not support CPU CFS scheduler. CPU period/quota discarded.');
    draft.CpuPeriod = 0;
    draft.CpuQuota = 0;
  }
  if (period !== 0 && (period < 1000 || period > 1_000_000)) {
    throw refuse('CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)');
  }
  if (quota > 0 && quota < 1000) throw refuse('CPU cfs quota can not be less than 1ms (i.e. 1000)');
  const shares = draft.CpuShares ?? 0;
  if (shares < 0) throw refuse(`invalid CPU shares (${shares}): value must be a positive integer`);
  if (shares > 0 && !facts.cpuShares) {
    warnings.push('Your kernel does not support CPU shares or the cgroup is not mounted. Shares discarded.');
    draft.CpuShares = 0;
  }
  if ((draft.CpuPercent ?? 0) > 0) {
    warnings.push('linux does not support CPU percent. Percent discarded.');
    draft.CpuPercent = 0;
  }
  checkRealtime(draft, facts);
  if ((draft.CpusetCpus || draft.CpusetMems) && !facts.cpuSet) {
    warnings.push('Your kernel does not support cpuset or the cgroup is not mounted. Cpuset discarded.');
    draft.CpusetCpus = '';
    draft.CpusetMems = '';
  }
  checkSet(draft.CpusetCpus, 'cpus', cpus - 1);
  if (draft.CpusetMems) checkSet(draft.CpusetMems, 'mems', lastMemoryNode());
}

function checkRealtime(draft: Draft, facts: CgroupFacts): void {
  const period = draft.CpuRealtimePeriod ?? 0;
  const runtime = draft.CpuRealtimeRuntime ?? 0;
  if (period === 0 && runtime === 0) return;
  if (!facts.cpuRealtime) throw refuse('Your kernel does not support CPU real-time scheduler');
  if (period !== 0 && runtime > period)
    throw refuse('cpu real-time runtime cannot be higher than cpu real-time period');
}

/** A list such as `0-2,4`, none of them above `highest`. */
function checkSet(text: string | undefined, what: 'cpus' | 'mems', highest: number): void {
  if (!text) return;
  const ranges = text.split(',').map((part) => /^(\d+)(?:-(\d+))?$/.exec(part.trim()));
  if (ranges.some((range) => range === null || Number(range[2] ?? range[1]) < Number(range[1]))) {
    throw refuse(`Invalid value ${text} for cpuset ${what}: invalid format: ${text}`);
  }
  if (ranges.some((range) => Number(range?.[2] ?? range?.[1]) > highest)) {
    const subject = what === 'cpus' ? 'CPUs' : 'memory nodes';
    const available = highest === 0 ? '0' : `0-${highest}`;
    throw refuse(`Requested ${subject} are not available - requested ${text}, available: ${available}`);
  }
}

/** The highest NUMA node; 0 where the kernel knows none. */
function lastMemoryNode(): number {
  try {
    return Number(/(\d+)\s*$/.exec(readFileSync('/sys/devices/system/node/online', 'utf8'))?.[1] ?? 0);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return 0;
    throw error;
  }
}

function checkBlockIo(draft: Draft, facts: CgroupFacts, warnings: string[]): void {
  const weight = draft.BlkioWeight ?? 0;
  if (weight > 0 && !facts.blkioWeight) {
    warnings.push('Your kernel does not support Block I/O weight or the cgroup is not mounted. Weight discarded.');
    draft.BlkioWeight = 0;
  } else if (weight !== 0 && (weight < 10 || weight > 1000)) {
    throw refuse('Range of blkio weight is from 10 to 1000');
  }
  if ((draft.IOMaximumBandwidth ?? 0) !== 0 || (draft.IOMaximumIOps ?? 0) !== 0) {
    throw refuse('Invalid QoS settings: linux does not support Maximum IO Bandwidth or Maximum IO IOps');
  }
  checkDevices(draft, facts, warnings);
}

const THROTTLES = [
  ['BlkioDeviceReadBps', 'BPS Block I/O read', 'Block I/O BPS read'],
  ['BlkioDeviceWriteBps', 'BPS Block I/O write', 'Block I/O BPS write'],
  ['BlkioDeviceReadIOps', 'IOPS Block read', 'Block I/O IOPS read'],
  ['BlkioDeviceWriteIOps', 'IOPS Block write', 'Block I/O IOPS write'],
] as const;

function checkDevices(draft: Draft, facts: CgroupFacts, warnings: string[]): void {
  if ((draft.BlkioWeightDevice ?? []).length > 0 && !facts.blkioWeightDevice) {
    warnings.push(
      'Your kernel does not support Block I/O weight_device or the cgroup is not mounted. Weight-device discarded.',
    );
    draft.BlkioWeightDevice = [];
  }
  for (const [key, kernel, limit] of THROTTLES) {
    if ((draft[key] ?? []).length === 0 || facts.blkioThrottle) continue;
    warnings.push(
      `Your kernel does not support ${kernel} limit or the cgroup is not mounted. ${limit} limit discarded.`,
    );
    draft[key] = [];
  }
}
