import { readFileSync } from 'node:fs';
import { type CgroupDirectories, type CgroupLayout, detectLayout, directoriesAt, directoriesOf } from './layout.ts';
import { type Counter, type DeviceCounter, parseFlat, parseIoStat, parseLimit, parseV1Blkio } from './parse.ts';

/** What a cgroup has used, in one shape for v1, v2 and both at once. What the host does not count is absent or zero. */
export interface CgroupStats {
  /** The hierarchy that memory is counted in, for callers that show v1 and v2 names apart. */
  readonly version: 1 | 2;
  readonly cpu: {
    readonly totalNs: number;
    readonly userNs: number;
    readonly systemNs: number;
    /** v1 only. */
    readonly perCpuNs?: readonly number[];
    readonly periods: number;
    readonly throttledPeriods: number;
    readonly throttledNs: number;
  };
  readonly memory: {
    readonly usageBytes: number;
    /** v1 only (v2 has it from Linux 5.19 on). */
    readonly maxUsageBytes?: number;
    /** `undefined`: no limit. */
    readonly limitBytes: number | undefined;
    /** v1: how often the limit was hit. */
    readonly failures?: number;
    readonly oomKills: number;
    /** memory.stat with the kernel's names. */
    readonly stat: Readonly<Record<string, Counter>>;
  };
  readonly pids: { readonly current: number; readonly limit: number | undefined };
  readonly blkio: { readonly bytes: readonly DeviceCounter[]; readonly operations: readonly DeviceCounter[] };
}

/**
 * Reads the counters of one container. The directories are found once; after the cgroup is gone every counter reads as zero
 * and `exists()` says so. A read is synchronous and costs some 10 small files (0.2 ms).
 */
export class CgroupReader {
  readonly #directories: CgroupDirectories;
  readonly #version: 1 | 2;
  /** The root, or whatever else is mounted as one: its counters are the host's, not a container's. */
  readonly isRoot: boolean;

  private constructor(directories: CgroupDirectories, layout: CgroupLayout) {
    this.#directories = directories;
    this.#version = layout.v1.has('memory') ? 1 : 2;
    const controller = this.#version === 1 ? 'memory' : '';
    const mountPoint = this.#version === 1 ? layout.v1.get('memory') : layout.unified;
    this.isRoot = directories.get(controller)?.replace(/\/+$/, '') === mountPoint;
  }

  /** The cgroup that process is in. Throws ENOENT or ESRCH when it is gone. */
  static forPid(pid: number, layout: CgroupLayout = detectLayout()): CgroupReader {
    return new CgroupReader(directoriesOf(readFileSync(`/proc/${pid}/cgroup`, 'utf8'), layout), layout);
  }

  /** The cgroup of that path below each hierarchy's mount point (`/wharf/ID`). */
  static forPath(path: string, layout: CgroupLayout = detectLayout()): CgroupReader {
    return new CgroupReader(directoriesAt(path, layout), layout);
  }

  /** True while the kernel has the cgroup. */
  exists(): boolean {
    const controller = this.#version === 1 ? 'memory' : '';
    return this.#read(controller, 'cgroup.procs') !== undefined;
  }

  read(): CgroupStats {
    return {
      version: this.#version,
      cpu: this.#cpu(),
      memory: this.#memory(),
      pids: this.#pids(),
      blkio: this.#blkio(),
    };
  }

  /** How many processes of the cgroup the kernel has killed for want of memory. */
  oomKills(): number {
    const v1 = this.#version === 1;
    const text = v1 ? this.#read('memory', 'memory.oom_control') : this.#read('', 'memory.events');
    return Number(parseFlat(text ?? '')['oom_kill'] ?? 0);
  }

  #cpu(): CgroupStats['cpu'] {
    if (!this.#directories.has('cpuacct')) return cpuOfV2(parseFlat(this.#read('', 'cpu.stat') ?? ''));
    const number = (file: string): number => Number(this.#read('cpuacct', file)?.trim() ?? 0);
    const throttling = parseFlat(this.#read('cpu', 'cpu.stat') ?? '');
    const perCpu = this.#read('cpuacct', 'cpuacct.usage_percpu')?.trim().split(' ').map(Number);
    return {
      totalNs: number('cpuacct.usage'),
      userNs: number('cpuacct.usage_user'),
      systemNs: number('cpuacct.usage_sys'),
      ...(perCpu ? { perCpuNs: perCpu } : {}),
      periods: Number(throttling['nr_periods'] ?? 0),
      throttledPeriods: Number(throttling['nr_throttled'] ?? 0),
      throttledNs: Number(throttling['throttled_time'] ?? 0),
    };
  }

  #memory(): CgroupStats['memory'] {
    const oomKills = this.oomKills();
    if (this.#version === 2) {
      return {
        usageBytes: Number(this.#read('', 'memory.current') ?? 0),
        limitBytes: parseLimit(this.#read('', 'memory.max') ?? ''),
        oomKills,
        stat: parseFlat(this.#read('', 'memory.stat') ?? ''),
      };
    }
    return {
      usageBytes: Number(this.#read('memory', 'memory.usage_in_bytes') ?? 0),
      maxUsageBytes: Number(this.#read('memory', 'memory.max_usage_in_bytes') ?? 0),
      limitBytes: parseLimit(this.#read('memory', 'memory.limit_in_bytes') ?? ''),
      failures: Number(this.#read('memory', 'memory.failcnt') ?? 0),
      oomKills,
      stat: parseFlat(this.#read('memory', 'memory.stat') ?? ''),
    };
  }

  #pids(): CgroupStats['pids'] {
    const controller = this.#directories.has('pids') ? 'pids' : '';
    return {
      current: Number(this.#read(controller, 'pids.current') ?? 0),
      limit: parseLimit(this.#read(controller, 'pids.max') ?? ''),
    };
  }

  #blkio(): CgroupStats['blkio'] {
    if (!this.#directories.has('blkio')) return parseIoStat(this.#read('', 'io.stat') ?? '');
    return {
      bytes: parseV1Blkio(this.#read('blkio', 'blkio.throttle.io_service_bytes') ?? ''),
      operations: parseV1Blkio(this.#read('blkio', 'blkio.throttle.io_serviced') ?? ''),
    };
  }

  #read(controller: string, file: string): string | undefined {
    const directory = this.#directories.get(controller);
    if (directory === undefined) return undefined;
    try {
      return readFileSync(`${directory}/${file}`, 'utf8');
    } catch {
      // A controller that is not enabled here, or a cgroup that is gone: nothing is counted.
      return undefined;
    }
  }
}

function cpuOfV2(stat: Readonly<Record<string, Counter>>): CgroupStats['cpu'] {
  const ns = (key: string): number => Number(stat[key] ?? 0) * 1000;
  return {
    totalNs: ns('usage_usec'),
    userNs: ns('user_usec'),
    systemNs: ns('system_usec'),
    periods: Number(stat['nr_periods'] ?? 0),
    throttledPeriods: Number(stat['nr_throttled'] ?? 0),
    throttledNs: ns('throttled_usec'),
  };
}
