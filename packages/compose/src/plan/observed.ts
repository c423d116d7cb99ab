/** What there is of a project on the daemon, as much of it as plans are made from. Plain data. */
export interface Observed {
  /** With the project's label and a config hash; one-off containers too. */
  readonly containers: readonly ObservedContainer[];
  /** Those of the project's label, and those of the names the model has. */
  readonly networks: readonly ObservedNetwork[];
  readonly volumes: readonly ObservedVolume[];
  /** Image ids by the names that services have for them; what is not there is absent. */
  readonly images: Readonly<Record<string, ObservedImage>>;
  readonly daemon: DaemonAbilities;
}

/** What this daemon can do beyond Docker's API, and what older ones lack. */
export interface DaemonAbilities {
  /** The API version spoken, `1.51`. */
  readonly apiVersion: string;
  /** Published ports of a running container can be handed to another, and labels changed. */
  readonly movesPorts: boolean;
  /** Containers can ask to be restarted when they are unhealthy. */
  readonly restartsUnhealthy: boolean;
}

export type ContainerStatus =
  | 'created'
  | 'running'
  | 'paused'
  | 'restarting'
  | 'removing'
  | 'exited'
  | 'dead'
  | (string & {});

export interface ObservedContainer {
  readonly id: string;
  /** Without the slash. */
  readonly name: string;
  readonly service: string;
  /** 0 for one-off containers and where the label is missing. */
  readonly number: number;
  readonly oneOff: boolean;
  readonly status: ContainerStatus;
  /** Of one that runs and is checked; as far as the daemon's list tells. */
  readonly health?: 'healthy' | 'unhealthy' | 'starting' | undefined;
  /** Of one that ended; as far as the daemon's list tells. */
  readonly exitCode?: number | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** The image as it was named when the container was created. */
  readonly image: string;
  /** Seconds since the epoch. */
  readonly createdAt: number;
  /** Ids of the networks it is in; of one that does not run there may be none. */
  readonly networkIds: readonly string[];
  /** Names of the networks it is in, or is to be in when it starts. */
  readonly networkNames: readonly string[];
  readonly mounts: readonly ObservedMount[];
}

export interface ObservedMount {
  /** `bind`, `volume`, `tmpfs`, … */
  readonly type: string;
  /** The volume's name; empty for other types. */
  readonly name: string;
  readonly source: string;
  readonly target: string;
  readonly writable: boolean;
}

export interface ObservedNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ObservedVolume {
  readonly name: string;
  readonly driver: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface ObservedImage {
  readonly id: string;
  /** Paths that the image declares as volumes. */
  readonly volumes: readonly string[];
  /** Milliseconds since the epoch of the last time it was tagged here; 0 when unknown. */
  readonly taggedAtMs: number;
  /** `linux/amd64`. */
  readonly platform: string;
}
