import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupLayout, detectLayout } from '@wharf/linux/cgroup';

/** Which limits containers can have on this host, as `docker info` tells and warns. */
export interface CgroupFacts {
  readonly version: '1' | '2';
  readonly memoryLimit: boolean;
  readonly swapLimit: boolean;
  readonly memoryReservation: boolean;
  readonly swappiness: boolean;
  readonly oomKillDisable: boolean;
  readonly kernelMemory: boolean;
  readonly kernelMemoryTcp: boolean;
  readonly cpuCfs: boolean;
  readonly cpuShares: boolean;
  readonly cpuRealtime: boolean;
  readonly cpuSet: boolean;
  readonly pidsLimit: boolean;
  readonly blkioWeight: boolean;
  readonly blkioWeightDevice: boolean;
  readonly blkioThrottle: boolean;
}

/**
 * Looks for the controllers and the files that limits are written to. On a host with both versions each controller counts
 * where it is mounted; such a host shows itself as version 1, which is where the runtime puts containers.
 */
export function readCgroupFacts(layout: CgroupLayout = detectLayout(), exists = existsSync): CgroupFacts {
  const unified = new Set(layout.unifiedControllers);
  const v1 = (controller: string, file: string) => {
    const mountPoint = layout.v1.get(controller);
    return mountPoint !== undefined && exists(join(mountPoint, file));
  };
  const has = (controller: string) => layout.v1.has(controller) || unified.has(controller);
  return {
    version: layout.kind === 'v2' ? '2' : '1',
    memoryLimit: has('memory'),
    swapLimit: layout.v1.has('memory')
      ? v1('memory', 'memory.memsw.limit_in_bytes')
      : unified.has('memory') && hasSwapFiles(layout),
    memoryReservation: unified.has('memory') || v1('memory', 'memory.soft_limit_in_bytes'),
    swappiness: v1('memory', 'memory.swappiness'),
    oomKillDisable: v1('memory', 'memory.oom_control'),
    kernelMemory: v1('memory', 'memory.kmem.limit_in_bytes'),
    kernelMemoryTcp: v1('memory', 'memory.kmem.tcp.limit_in_bytes'),
    cpuCfs: unified.has('cpu') || v1('cpu', 'cpu.cfs_quota_us'),
    cpuShares: unified.has('cpu') || v1('cpu', 'cpu.shares'),
    // Only v1 has it, and only where the kernel is built with RT_GROUP_SCHED.
    cpuRealtime: v1('cpu', 'cpu.rt_runtime_us'),
    cpuSet: has('cpuset'),
    pidsLimit: has('pids'),
    blkioWeight: unified.has('io') || v1('blkio', 'blkio.weight') || v1('blkio', 'blkio.bfq.weight'),
    blkioWeightDevice:
      unified.has('io') || v1('blkio', 'blkio.weight_device') || v1('blkio', 'blkio.bfq.weight_device'),
    blkioThrottle: unified.has('io') || v1('blkio', 'blkio.throttle.read_bps_device'),
  };
}

/** The root of the v2 tree has no memory.swap files; this process's own group has, where the kernel counts swap. */
function hasSwapFiles(layout: CgroupLayout): boolean {
  try {
    const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1] ?? '/';
    return own === '/' || existsSync(join(layout.unified ?? '', own, 'memory.swap.max'));
  } catch {
    return false;
  }
}

/** The warnings of `docker info`, in its words. */
export function cgroupWarnings(facts: CgroupFacts): readonly string[] {
  const v2 = facts.version === '2';
  const checks: readonly (readonly [boolean, string])[] = [
    [facts.memoryLimit, 'No memory limit support'],
    [facts.swapLimit, 'No swap limit support'],
    [facts.oomKillDisable || v2, 'No oom kill disable support'],
    [facts.cpuCfs, 'No cpu cfs quota support'],
    [facts.cpuCfs, 'No cpu cfs period support'],
    [facts.cpuShares, 'No cpu shares support'],
    [facts.cpuSet, 'No cpuset support'],
    [facts.blkioWeight || !v2, 'No io.weight support'],
    ...(v2 ? ['io.max (rbps)', 'io.max (wbps)', 'io.max (riops)', 'io.max (wiops)'] : throttleFiles).map(
      (name) => [facts.blkioThrottle, `No ${name} support`] as const,
    ),
  ];
  return checks.filter(([there]) => !there).map(([, text]) => `WARNING: ${text}`);
}

const throttleFiles = ['read_bps', 'write_bps', 'read_iops', 'write_iops'].map(
  (name) => `blkio throttle.${name}_device`,
);
