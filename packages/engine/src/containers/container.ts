import type { ChainId, ContainerId, Digest } from '@wharf/kit';
import type { IdMapping } from '@wharf/linux/user-namespace';
import type { ContainerConfig, EndpointSettings, HostConfig, MountPoint } from '@wharf/wire/docker/types';

export type ContainerStatus = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

export interface HealthLogEntry {
  readonly start: string;
  readonly end: string;
  readonly exitCode: number;
  readonly output: string;
}

export interface HealthState {
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  readonly failingStreak: number;
  readonly log: readonly HealthLogEntry[];
}

/** What changes while a container lives. Times are RFC 3339 with nanoseconds; `ZERO_TIME` is "never". */
export interface ContainerState {
  readonly status: ContainerStatus;
  /** The init process in the host's pid namespace, 0 when none runs. */
  readonly pid: number;
  /** The monitor that keeps stdio, log and exit status, 0 when none runs. */
  readonly monitorPid: number;
  readonly exitCode: number;
  readonly error: string;
  readonly oomKilled: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly restartCount: number;
  /** `docker stop` and `kill` set it: restart policies leave such a container alone. */
  readonly manuallyStopped: boolean;
  readonly hasBeenStarted: boolean;
  readonly health?: HealthState | undefined;
}

/** The container's place in one network. Addresses are filled while it is connected to a live sandbox. */
export interface NetworkEndpoint {
  readonly networkName: string;
  readonly networkId: string;
  readonly settings: EndpointSettings;
}

/** A `--link` on the default bridge. */
export interface ContainerLink {
  readonly alias: string;
  /** A container that may be gone by now. */
  readonly containerId: ContainerId;
}

/**
 * A container as it is kept in the store. A plain immutable document: a change makes a new one and saves it.
 * `config` and `hostConfig` keep Docker's own shape (docs/decisions/0002), since they are the client's data to get back.
 */
export interface ContainerRecord {
  readonly id: ContainerId;
  /** Without the leading slash. */
  readonly name: string;
  readonly createdAt: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** What `inspect` shows as `Image`: the digest the reference named (an index or a manifest). */
  readonly imageId: Digest | '';
  readonly manifestDigest: Digest | '';
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
  /** The stack of layers below the container's own, `''` for an image without layers. */
  readonly chainId: ChainId | '';
  /** Key of the active snapshot that holds the container's own writes. */
  readonly snapshotKey: string;
  /** The ids of the container's own user namespace: what it sees as 0 and on. Absent: the daemon's. */
  readonly userNamespace?: IdMapping | undefined;
  readonly mounts: readonly MountPoint[];
  readonly endpoints: readonly NetworkEndpoint[];
  /** The published ports in force, as `NetworkSettings.Ports` shows them; empty when stopped. */
  readonly ports: Readonly<Record<string, readonly { readonly HostIp: string; readonly HostPort: string }[] | null>>;
  readonly links?: readonly ContainerLink[];
  /** What the run in progress was told of its links. */
  readonly linkEnvironment?: readonly string[];
  readonly state: ContainerState;
}
