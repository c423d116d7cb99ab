import type { Dict, List, Uint64 } from './common.ts';

export interface ContainerBlkioStatEntry {
  readonly major: Uint64;
  readonly minor: Uint64;
  readonly op: string;
  readonly value: Uint64;
}

export interface ContainerBlkioStats {
  readonly io_service_bytes_recursive: List<ContainerBlkioStatEntry>;
  readonly io_serviced_recursive: List<ContainerBlkioStatEntry>;
  readonly io_queue_recursive: List<ContainerBlkioStatEntry>;
  readonly io_service_time_recursive: List<ContainerBlkioStatEntry>;
  readonly io_wait_time_recursive: List<ContainerBlkioStatEntry>;
  readonly io_merged_recursive: List<ContainerBlkioStatEntry>;
  readonly io_time_recursive: List<ContainerBlkioStatEntry>;
  readonly sectors_recursive: List<ContainerBlkioStatEntry>;
}

/** Nanoseconds of CPU time. */
export interface ContainerCPUUsage {
  readonly total_usage: Uint64;
  /** cgroup v1 only. */
  readonly percpu_usage?: readonly Uint64[] | undefined;
  readonly usage_in_kernelmode: Uint64;
  readonly usage_in_usermode: Uint64;
}

export interface ContainerThrottlingData {
  readonly periods: Uint64;
  readonly throttled_periods: Uint64;
  readonly throttled_time: Uint64;
}

export interface ContainerCPUStats {
  readonly cpu_usage: ContainerCPUUsage;
  readonly system_cpu_usage?: Uint64 | undefined;
  readonly online_cpus?: number | undefined;
  readonly throttling_data: ContainerThrottlingData;
}

export interface ContainerMemoryStats {
  readonly usage?: Uint64 | undefined;
  /** cgroup v1 only. */
  readonly max_usage?: Uint64 | undefined;
  readonly stats?: Readonly<Record<string, Uint64>> | undefined;
  readonly failcnt?: Uint64 | undefined;
  readonly limit?: Uint64 | undefined;
}

export interface ContainerPidsStats {
  readonly current?: Uint64 | undefined;
  readonly limit?: Uint64 | undefined;
}

export interface ContainerNetworkStats {
  readonly rx_bytes: Uint64;
  readonly rx_packets: Uint64;
  readonly rx_errors: Uint64;
  readonly rx_dropped: Uint64;
  readonly tx_bytes: Uint64;
  readonly tx_packets: Uint64;
  readonly tx_errors: Uint64;
  readonly tx_dropped: Uint64;
}

/** One sample of `GET /containers/{id}/stats`. */
export interface ContainerStatsResponse {
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  /** Since 1.52. */
  readonly os_type?: string | undefined;
  readonly read: string;
  readonly preread: string;
  readonly cpu_stats: ContainerCPUStats;
  readonly precpu_stats: ContainerCPUStats;
  readonly memory_stats: ContainerMemoryStats;
  readonly networks?: Dict<ContainerNetworkStats> | undefined;
  readonly pids_stats: ContainerPidsStats;
  readonly blkio_stats: ContainerBlkioStats;
  readonly num_procs: number;
  readonly storage_stats: Readonly<Record<string, Uint64>>;
}
