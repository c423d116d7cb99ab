import type { Dict, List, StringSet } from './common.ts';
import type { EndpointSettings } from './networks.ts';

/** Durations are nanoseconds; 0 means "as the image says, or the default". */
export interface HealthConfig {
  /** `[]` inherits, `["NONE"]` disables, `["CMD", …]` executes, `["CMD-SHELL", line]` runs a shell. */
  readonly Test?: List<string> | undefined;
  readonly Interval?: number | undefined;
  readonly Timeout?: number | undefined;
  readonly StartPeriod?: number | undefined;
  /** Since 1.44. */
  readonly StartInterval?: number | undefined;
  readonly Retries?: number | undefined;
}

/** The portable half of a container's configuration: what an image's config can also say. */
export interface ContainerConfig {
  readonly Hostname?: string | undefined;
  readonly Domainname?: string | undefined;
  readonly User?: string | undefined;
  readonly AttachStdin?: boolean | undefined;
  readonly AttachStdout?: boolean | undefined;
  readonly AttachStderr?: boolean | undefined;
  /** Keys are `port/protocol`. */
  readonly ExposedPorts?: StringSet | undefined;
  readonly Tty?: boolean | undefined;
  readonly OpenStdin?: boolean | undefined;
  readonly StdinOnce?: boolean | undefined;
  readonly Env?: List<string> | undefined;
  readonly Cmd?: List<string> | undefined;
  readonly Healthcheck?: HealthConfig | null | undefined;
  readonly ArgsEscaped?: boolean | undefined;
  readonly Image?: string | undefined;
  readonly Volumes?: StringSet | undefined;
  readonly WorkingDir?: string | undefined;
  readonly Entrypoint?: List<string> | undefined;
  readonly NetworkDisabled?: boolean | undefined;
  /** Below 1.44; later versions carry it in the endpoint's settings. */
  readonly MacAddress?: string | undefined;
  readonly OnBuild?: List<string> | undefined;
  readonly Labels?: Dict<string> | undefined;
  readonly StopSignal?: string | undefined;
  /** Seconds; -1 waits for ever. */
  readonly StopTimeout?: number | null | undefined;
  readonly Shell?: List<string> | undefined;
}

export interface ThrottleDevice {
  readonly Path: string;
  readonly Rate: number;
}

export interface WeightDevice {
  readonly Path: string;
  readonly Weight: number;
}

export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

export interface DeviceRequest {
  readonly Driver?: string | undefined;
  /** -1 is all of them. */
  readonly Count?: number | undefined;
  readonly DeviceIDs?: List<string> | undefined;
  readonly Capabilities?: List<List<string>> | undefined;
  readonly Options?: Dict<string> | undefined;
}

export interface Ulimit {
  readonly Name: string;
  readonly Soft: number;
  readonly Hard: number;
}

/** What `POST /containers/{id}/update` may change, and the first half of `HostConfig`. Sizes in bytes, times in µs. */
export interface Resources {
  readonly CpuShares?: number | undefined;
  readonly Memory?: number | undefined;
  /** 10^-9 CPUs. */
  readonly NanoCpus?: number | undefined;
  readonly CgroupParent?: string | undefined;
  readonly BlkioWeight?: number | undefined;
  readonly BlkioWeightDevice?: List<WeightDevice> | undefined;
  readonly BlkioDeviceReadBps?: List<ThrottleDevice> | undefined;
  readonly BlkioDeviceWriteBps?: List<ThrottleDevice> | undefined;
  readonly BlkioDeviceReadIOps?: List<ThrottleDevice> | undefined;
  readonly BlkioDeviceWriteIOps?: List<ThrottleDevice> | undefined;
  readonly CpuPeriod?: number | undefined;
  readonly CpuQuota?: number | undefined;
  readonly CpuRealtimePeriod?: number | undefined;
  readonly CpuRealtimeRuntime?: number | undefined;
  readonly CpusetCpus?: string | undefined;
  readonly CpusetMems?: string | undefined;
  readonly Devices?: List<DeviceMapping> | undefined;
  readonly DeviceCgroupRules?: List<string> | undefined;
  readonly DeviceRequests?: List<DeviceRequest> | undefined;
  /** Below 1.42; refused by newer kernels. */
  readonly KernelMemory?: number | undefined;
  /** Below 1.42. */
  readonly KernelMemoryTCP?: number | undefined;
  readonly MemoryReservation?: number | undefined;
  /** Memory plus swap; -1 is unlimited swap. */
  readonly MemorySwap?: number | undefined;
  /** 0 to 100; -1 or `null` leaves the host's value. */
  readonly MemorySwappiness?: number | null | undefined;
  readonly OomKillDisable?: boolean | null | undefined;
  /** 0 or -1 is unlimited; `null` leaves it alone. */
  readonly PidsLimit?: number | null | undefined;
  readonly Ulimits?: List<Ulimit> | undefined;
  /** Windows only; accepted and kept. */
  readonly CpuCount?: number | undefined;
  readonly CpuPercent?: number | undefined;
  readonly IOMaximumIOps?: number | undefined;
  readonly IOMaximumBandwidth?: number | undefined;
}

export interface LogConfig {
  readonly Type: string;
  readonly Config?: Dict<string> | undefined;
}

export interface RestartPolicy {
  /** `''` and `no` are the same. */
  readonly Name: '' | 'no' | 'always' | 'unless-stopped' | 'on-failure' | (string & {});
  readonly MaximumRetryCount?: number | undefined;
}

export interface PortBinding {
  readonly HostIp: string;
  /** A port, a range `8000-8010`, or `''` for an ephemeral one. */
  readonly HostPort: string;
}

/** Keys are `port/protocol`; a port that is exposed and not published has `null`. */
export type PortMap = Readonly<Record<string, List<PortBinding>>>;

export type MountType = 'bind' | 'volume' | 'tmpfs' | 'image' | 'npipe' | 'cluster';

export interface BindOptions {
  readonly Propagation?: string | undefined;
  readonly NonRecursive?: boolean | undefined;
  readonly CreateMountpoint?: boolean | undefined;
  readonly ReadOnlyNonRecursive?: boolean | undefined;
  readonly ReadOnlyForceRecursive?: boolean | undefined;
  readonly IDMapping?: IDMapping | null | undefined;
}

/** Under which owners a mount shows its files. */
export interface IDMapping {
  /** `match-user`: the source's owner is the container's user. `userns`: as the container's user namespace maps them. */
  readonly Source?: string | undefined;
  /** For `match-user`, a user other than the one the container runs as. */
  readonly User?: string | undefined;
}

export interface VolumeOptions {
  /** Not Docker's: as for binds. */
  readonly IDMapping?: IDMapping | null | undefined;
  readonly NoCopy?: boolean | undefined;
  readonly Labels?: Dict<string> | undefined;
  readonly DriverConfig?:
    | { readonly Name?: string | undefined; readonly Options?: Dict<string> | undefined }
    | null
    | undefined;
  readonly Subpath?: string | undefined;
}

export interface ImageMountOptions {
  readonly Subpath?: string | undefined;
}

export interface TmpfsOptions {
  readonly SizeBytes?: number | undefined;
  readonly Mode?: number | undefined;
  readonly Options?: List<List<string>> | undefined;
}

/** One entry of `HostConfig.Mounts` (`docker run --mount`). */
export interface Mount {
  readonly Type?: MountType | (string & {}) | undefined;
  readonly Source?: string | undefined;
  readonly Target?: string | undefined;
  readonly ReadOnly?: boolean | undefined;
  readonly Consistency?: string | undefined;
  readonly BindOptions?: BindOptions | null | undefined;
  readonly VolumeOptions?: VolumeOptions | null | undefined;
  readonly ImageOptions?: ImageMountOptions | null | undefined;
  readonly TmpfsOptions?: TmpfsOptions | null | undefined;
}

/** The half of a container's configuration that depends on the host. */
export interface HostConfig extends Resources {
  readonly Binds?: List<string> | undefined;
  readonly ContainerIDFile?: string | undefined;
  readonly LogConfig?: LogConfig | undefined;
  /** `default`, `bridge`, `host`, `none`, `container:<name|id>` or a network's name. */
  readonly NetworkMode?: string | undefined;
  readonly PortBindings?: PortMap | null | undefined;
  readonly RestartPolicy?: RestartPolicy | undefined;
  readonly AutoRemove?: boolean | undefined;
  readonly VolumeDriver?: string | undefined;
  readonly VolumesFrom?: List<string> | undefined;
  readonly Mounts?: List<Mount> | undefined;
  /** Height, width. */
  readonly ConsoleSize?: readonly number[] | undefined;
  /** Since 1.43. */
  readonly Annotations?: Dict<string> | undefined;
  readonly CapAdd?: List<string> | undefined;
  readonly CapDrop?: List<string> | undefined;
  /** Below 1.41 read as nothing. */
  readonly Capabilities?: List<string> | undefined;
  readonly CgroupnsMode?: '' | 'private' | 'host' | (string & {}) | undefined;
  readonly Dns?: List<string> | undefined;
  readonly DnsOptions?: List<string> | undefined;
  readonly DnsSearch?: List<string> | undefined;
  readonly ExtraHosts?: List<string> | undefined;
  readonly GroupAdd?: List<string> | undefined;
  readonly IpcMode?: string | undefined;
  readonly Cgroup?: string | undefined;
  readonly Links?: List<string> | undefined;
  readonly OomScoreAdj?: number | undefined;
  readonly PidMode?: string | undefined;
  readonly Privileged?: boolean | undefined;
  readonly PublishAllPorts?: boolean | undefined;
  readonly ReadonlyRootfs?: boolean | undefined;
  readonly SecurityOpt?: List<string> | undefined;
  readonly StorageOpt?: Dict<string> | undefined;
  readonly Tmpfs?: Dict<string> | undefined;
  readonly UTSMode?: string | undefined;
  readonly UsernsMode?: string | undefined;
  readonly ShmSize?: number | undefined;
  readonly Sysctls?: Dict<string> | undefined;
  readonly Runtime?: string | undefined;
  readonly Isolation?: string | undefined;
  /** `undefined` is the default list, `[]` masks nothing. */
  readonly MaskedPaths?: List<string> | undefined;
  readonly ReadonlyPaths?: List<string> | undefined;
  /** `undefined` follows the daemon's `init` setting. */
  readonly Init?: boolean | null | undefined;
}

export interface NetworkingConfig {
  readonly EndpointsConfig?: Dict<EndpointSettings | null> | undefined;
}

/** The body of `POST /containers/create`: the config's fields and these two beside them. */
export interface ContainerCreateRequest extends ContainerConfig {
  readonly HostConfig?: HostConfig | null | undefined;
  readonly NetworkingConfig?: NetworkingConfig | null | undefined;
}

export interface ContainerCreateResponse {
  readonly Id: string;
  readonly Warnings: readonly string[];
}

export interface ContainerUpdateRequest extends Resources {
  readonly RestartPolicy?: RestartPolicy | undefined;
  /** Beyond Docker's API: publishes these ports and no others from now on. */
  readonly PortBindings?: PortMap | null | undefined;
  /** Beyond Docker's API: takes the published ports over from that container, which publishes none from then on. */
  readonly PortsFrom?: string | undefined;
  /** Beyond Docker's API: these labels and no others from now on. */
  readonly Labels?: Dict<string> | undefined;
}

export interface ContainerUpdateResponse {
  readonly Warnings: List<string>;
}
