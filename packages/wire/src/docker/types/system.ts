import type { Dict, List } from './common.ts';
import type { ContainerSummary } from './containers.ts';
import type { BuildCache, ImageSummary } from './images.ts';
import type { Volume } from './volumes.ts';

export interface ComponentVersion {
  readonly Name: string;
  readonly Version: string;
  readonly Details?: Readonly<Record<string, string>> | null | undefined;
}

export interface SystemVersion {
  readonly Platform?: { readonly Name: string } | undefined;
  readonly Components?: readonly ComponentVersion[] | undefined;
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion?: string | undefined;
  readonly GitCommit: string;
  readonly GoVersion: string;
  readonly Os: string;
  readonly Arch: string;
  readonly KernelVersion?: string | undefined;
  readonly Experimental?: boolean | undefined;
  readonly BuildTime?: string | undefined;
}

export interface Runtime {
  readonly path?: string | undefined;
  readonly runtimeArgs?: List<string> | undefined;
  /** Since 1.45 or so: the runtime's feature document, by annotation. */
  readonly status?: Dict<string> | undefined;
}

export interface Commit {
  readonly ID: string;
  /** Below 1.48. */
  readonly Expected?: string | undefined;
}

export interface PluginsInfo {
  readonly Volume: List<string>;
  readonly Network: List<string>;
  readonly Authorization: List<string>;
  readonly Log: List<string>;
}

export interface IndexInfo {
  readonly Name: string;
  readonly Mirrors: List<string>;
  readonly Secure: boolean;
  readonly Official: boolean;
}

export interface RegistryServiceConfig {
  /** Below 1.47. */
  readonly AllowNondistributableArtifactsCIDRs?: List<string> | undefined;
  readonly AllowNondistributableArtifactsHostnames?: List<string> | undefined;
  readonly InsecureRegistryCIDRs: List<string>;
  readonly IndexConfigs: Dict<IndexInfo>;
  readonly Mirrors: List<string>;
}

export interface SwarmInfo {
  readonly NodeID: string;
  readonly NodeAddr: string;
  readonly LocalNodeState: '' | 'inactive' | 'pending' | 'active' | 'error' | 'locked';
  readonly ControlAvailable: boolean;
  readonly Error: string;
  readonly RemoteManagers: List<{ readonly NodeID: string; readonly Addr: string }>;
}

export interface DeviceInfo {
  readonly Source: string;
  readonly ID: string;
}

/** `GET /info`. */
export interface SystemInfo {
  readonly ID: string;
  readonly Containers: number;
  readonly ContainersRunning: number;
  readonly ContainersPaused: number;
  readonly ContainersStopped: number;
  readonly Images: number;
  readonly Driver: string;
  readonly DriverStatus: List<readonly [string, string]>;
  readonly SystemStatus?: List<readonly [string, string]> | undefined;
  readonly DockerRootDir: string;
  readonly Plugins: PluginsInfo;
  readonly MemoryLimit: boolean;
  readonly SwapLimit: boolean;
  /** Below 1.42. */
  readonly KernelMemory?: boolean | undefined;
  readonly KernelMemoryTCP?: boolean | undefined;
  readonly CpuCfsPeriod: boolean;
  readonly CpuCfsQuota: boolean;
  readonly CPUShares: boolean;
  readonly CPUSet: boolean;
  readonly PidsLimit: boolean;
  readonly OomKillDisable: boolean;
  readonly IPv4Forwarding: boolean;
  /** Below 1.50. */
  readonly BridgeNfIptables?: boolean | undefined;
  readonly BridgeNfIp6tables?: boolean | undefined;
  readonly Debug: boolean;
  readonly NFd: number;
  readonly NGoroutines: number;
  readonly SystemTime: string;
  readonly LoggingDriver: string;
  readonly CgroupDriver: 'cgroupfs' | 'systemd' | 'none';
  readonly CgroupVersion?: '1' | '2' | undefined;
  readonly NEventsListener: number;
  readonly KernelVersion: string;
  readonly OperatingSystem: string;
  readonly OSVersion: string;
  readonly OSType: string;
  readonly Architecture: string;
  readonly NCPU: number;
  readonly MemTotal: number;
  readonly IndexServerAddress: string;
  readonly RegistryConfig: RegistryServiceConfig | null;
  readonly GenericResources: List<unknown>;
  readonly HttpProxy: string;
  readonly HttpsProxy: string;
  readonly NoProxy: string;
  readonly Name: string;
  readonly Labels: List<string>;
  readonly ExperimentalBuild: boolean;
  readonly ServerVersion: string;
  readonly Runtimes: Dict<Runtime>;
  readonly DefaultRuntime: string;
  readonly Swarm: SwarmInfo;
  readonly LiveRestoreEnabled: boolean;
  readonly Isolation: string;
  readonly InitBinary: string;
  readonly ContainerdCommit: Commit;
  readonly RuncCommit: Commit;
  readonly InitCommit: Commit;
  readonly SecurityOptions: List<string>;
  readonly ProductLicense?: string | undefined;
  readonly DefaultAddressPools?: List<{ readonly Base: string; readonly Size: number }> | undefined;
  /** Since 1.49. */
  readonly FirewallBackend?:
    | { readonly Driver: string; readonly Info?: List<readonly [string, string]> | undefined }
    | undefined;
  /** Since 1.50. */
  readonly DiscoveredDevices?: List<DeviceInfo> | undefined;
  /** Since 1.53. */
  readonly NRI?: { readonly Info?: List<readonly [string, string]> | undefined } | null | undefined;
  readonly Warnings: List<string>;
  readonly CDISpecDirs?: List<string> | undefined;
  /** Since 1.47. */
  readonly Containerd?:
    | { readonly Address: string; readonly Namespaces: { readonly Containers: string; readonly Plugins: string } }
    | undefined;
}

/** The summary of one kind of object in `GET /system/df` since 1.52; `Items` only with `verbose`. */
export interface DiskUsageSummary<T> {
  readonly ActiveCount: number;
  readonly TotalCount: number;
  readonly Reclaimable: number;
  readonly TotalSize: number;
  readonly Items?: readonly T[] | undefined;
}

/** `GET /system/df`: the lists are the shape below 1.52, the `…Usage` fields the one since. */
export interface SystemDataUsage {
  readonly LayersSize?: number | undefined;
  readonly Images?: List<ImageSummary> | undefined;
  readonly Containers?: List<ContainerSummary> | undefined;
  readonly Volumes?: List<Volume> | undefined;
  readonly BuildCache?: List<BuildCache> | undefined;
  /** Below 1.42. */
  readonly BuilderSize?: number | undefined;
  readonly ImageUsage?: DiskUsageSummary<ImageSummary> | undefined;
  readonly ContainerUsage?: DiskUsageSummary<ContainerSummary> | undefined;
  readonly VolumeUsage?: DiskUsageSummary<Volume> | undefined;
  readonly BuildCacheUsage?: DiskUsageSummary<BuildCache> | undefined;
}
