import type { Dict, DriverData, List, OCIDescriptor } from './common.ts';
import type { ContainerConfig, HostConfig, PortMap } from './container-config.ts';
import type { ContainerState, MountPoint } from './container-state.ts';
import type { EndpointSettings } from './networks.ts';

export interface Address {
  readonly Addr: string;
  readonly PrefixLen: number;
}

/** `NetworkSettings` of `inspect`. The fields after `Networks` repeat the default bridge's and end with 1.51. */
export interface NetworkSettings {
  readonly SandboxID: string;
  readonly SandboxKey: string;
  readonly Ports: PortMap;
  readonly Networks: Dict<EndpointSettings>;
  readonly Bridge?: string | undefined;
  readonly HairpinMode?: boolean | undefined;
  readonly LinkLocalIPv6Address?: string | undefined;
  readonly LinkLocalIPv6PrefixLen?: number | undefined;
  readonly SecondaryIPAddresses?: List<Address> | undefined;
  readonly SecondaryIPv6Addresses?: List<Address> | undefined;
  readonly EndpointID?: string | undefined;
  readonly Gateway?: string | undefined;
  readonly GlobalIPv6Address?: string | undefined;
  readonly GlobalIPv6PrefixLen?: number | undefined;
  readonly IPAddress?: string | undefined;
  readonly IPPrefixLen?: number | undefined;
  readonly IPv6Gateway?: string | undefined;
  readonly MacAddress?: string | undefined;
}

/** Since 1.52 in place of `GraphDriver` with the containerd image store. */
export interface Storage {
  readonly RootFS?:
    | { readonly Snapshot?: { readonly Name?: string | undefined } | null | undefined }
    | null
    | undefined;
}

export interface ContainerInspectResponse {
  readonly Id: string;
  readonly Created: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly State: ContainerState;
  readonly Image: string;
  readonly ResolvConfPath: string;
  readonly HostnamePath: string;
  readonly HostsPath: string;
  readonly LogPath: string;
  /** With the leading slash. */
  readonly Name: string;
  readonly RestartCount: number;
  readonly Driver: string;
  readonly Platform: string;
  /** Since 1.48. */
  readonly ImageManifestDescriptor?: OCIDescriptor | undefined;
  readonly MountLabel: string;
  readonly ProcessLabel: string;
  readonly AppArmorProfile: string;
  readonly ExecIDs: List<string>;
  readonly HostConfig: HostConfig;
  readonly GraphDriver?: DriverData | null | undefined;
  readonly Storage?: Storage | null | undefined;
  readonly SizeRw?: number | undefined;
  readonly SizeRootFs?: number | undefined;
  readonly Mounts: readonly MountPoint[];
  readonly Config: ContainerConfig;
  readonly NetworkSettings: NetworkSettings;
}

export interface PortSummary {
  readonly IP?: string | undefined;
  readonly PrivatePort: number;
  readonly PublicPort?: number | undefined;
  readonly Type: 'tcp' | 'udp' | 'sctp' | (string & {});
}

/** One row of `GET /containers/json`. */
export interface ContainerSummary {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Image: string;
  readonly ImageID: string;
  readonly ImageManifestDescriptor?: OCIDescriptor | undefined;
  readonly Command: string;
  /** Seconds since the epoch. */
  readonly Created: number;
  readonly Ports: List<PortSummary>;
  readonly SizeRw?: number | undefined;
  readonly SizeRootFs?: number | undefined;
  readonly Labels: Dict<string>;
  readonly State: string;
  readonly Status: string;
  readonly HostConfig: { readonly NetworkMode?: string | undefined; readonly Annotations?: Dict<string> | undefined };
  readonly NetworkSettings: { readonly Networks: Dict<EndpointSettings> };
  readonly Mounts: readonly MountPoint[];
  /** Since 1.52. */
  readonly Health?: { readonly Status: string; readonly FailingStreak: number } | undefined;
}

export interface ContainerTopResponse {
  readonly Titles: readonly string[];
  readonly Processes: List<readonly string[]>;
}

export interface ContainerWaitResponse {
  readonly StatusCode: number;
  /** `null` below 1.30's clients; absent when there is none. */
  readonly Error?: { readonly Message: string } | null | undefined;
}

/** 0 modified, 1 added, 2 deleted. */
export interface FilesystemChange {
  readonly Path: string;
  readonly Kind: 0 | 1 | 2;
}

export interface ContainerPruneResponse {
  readonly ContainersDeleted: List<string>;
  readonly SpaceReclaimed: number;
}

export interface CheckpointCreateRequest {
  readonly CheckpointID?: string | undefined;
  readonly CheckpointDir?: string | undefined;
  readonly Exit?: boolean | undefined;
}

export interface CheckpointSummary {
  readonly Name: string;
}

/** `X-Docker-Container-Path-Stat` of the archive endpoints; `mode` holds Go's FileMode bits. */
export interface ContainerPathStat {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly mtime: string;
  readonly linkTarget: string;
}
