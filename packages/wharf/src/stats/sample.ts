/** What the daemon says of a container's use, as far as it is shown. */
export interface StatsDocument {
  readonly name?: string;
  readonly id?: string;
  readonly cpu_stats?: CpuStats;
  readonly precpu_stats?: CpuStats;
  readonly memory_stats?: {
    readonly usage?: number;
    readonly limit?: number;
    readonly stats?: Readonly<Record<string, number>> | null;
  };
  readonly pids_stats?: { readonly current?: number };
  readonly networks?: Readonly<Record<string, { readonly rx_bytes?: number; readonly tx_bytes?: number }>> | null;
  readonly blkio_stats?: {
    readonly io_service_bytes_recursive?: readonly { readonly op?: string; readonly value?: number }[] | null;
  };
}

interface CpuStats {
  readonly cpu_usage?: { readonly total_usage?: number; readonly percpu_usage?: readonly number[] | null };
  readonly system_cpu_usage?: number;
  readonly online_cpus?: number;
}

/** What one container uses at a moment. */
export interface StatsSample {
  readonly id: string;
  /** Without the slash; empty where the daemon said none. */
  readonly name: string;
  /** Of one CPU: 200 for two that are busy. */
  readonly cpuPercent: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly memoryPercent: number;
  readonly receivedBytes: number;
  readonly sentBytes: number;
  readonly readBytes: number;
  readonly writtenBytes: number;
  readonly processes: number;
}

/** Reckons as docker's client does. */
export function sampleOf(document: StatsDocument): StatsSample {
  const { name = '', id = '', networks, pids_stats, memory_stats } = document;
  const memoryBytes = memoryUse(memory_stats);
  const memoryLimitBytes = Number(memory_stats?.limit ?? 0);
  const interfaces = Object.values(networks ?? {});
  const sum = (numbers: readonly (number | undefined)[]): number =>
    numbers.reduce<number>((all, each) => all + Number(each ?? 0), 0);
  return {
    ...{ id, name: name.slice(1), cpuPercent: cpuPercent(document), memoryBytes, memoryLimitBytes },
    memoryPercent: memoryLimitBytes === 0 ? 0 : (memoryBytes / memoryLimitBytes) * 100,
    receivedBytes: sum(interfaces.map(({ rx_bytes }) => rx_bytes)),
    sentBytes: sum(interfaces.map(({ tx_bytes }) => tx_bytes)),
    ...diskUse(document),
    processes: Number(pids_stats?.current ?? 0),
  };
}

function cpuPercent({ cpu_stats: now, precpu_stats: before }: StatsDocument): number {
  const used = Number(now?.cpu_usage?.total_usage ?? 0) - Number(before?.cpu_usage?.total_usage ?? 0);
  const passed = Number(now?.system_cpu_usage ?? 0) - Number(before?.system_cpu_usage ?? 0);
  const cpus = now?.online_cpus || (now?.cpu_usage?.percpu_usage ?? []).length;
  return passed > 0 && used > 0 ? (used / passed) * cpus * 100 : 0;
}

/** Without the page cache that nobody used for long; the first name is that of version 1 of cgroups. */
function memoryUse(memory: StatsDocument['memory_stats']): number {
  const usage = Number(memory?.usage ?? 0);
  const old = memory?.stats?.['total_inactive_file'];
  if (old !== undefined && Number(old) < usage) return usage - Number(old);
  const inactive = Number(memory?.stats?.['inactive_file'] ?? 0);
  return inactive < usage ? usage - inactive : usage;
}

function diskUse({ blkio_stats }: StatsDocument): { readonly readBytes: number; readonly writtenBytes: number } {
  let [readBytes, writtenBytes] = [0, 0];
  for (const { op = '', value = 0 } of blkio_stats?.io_service_bytes_recursive ?? []) {
    if (/^r/i.test(op)) readBytes += Number(value);
    else if (/^w/i.test(op)) writtenBytes += Number(value);
  }
  return { readBytes, writtenBytes };
}
