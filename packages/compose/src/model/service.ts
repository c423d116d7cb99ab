import type { Build } from './build.ts';
import type { Deploy, DeviceRequest } from './deploy.ts';

/**
 * The canonical document of one service, as `docker compose config --format json` prints it: every short form is the
 * long one, names and units are settled. What Go leaves out (empty, zero, false) is absent here.
 *
 * - Sizes are decimal digits in a string (`"10485760"`): `bytesOf` reads them.
 * - Durations are Go's (`"1m30s"`): `nanosecondsOf` reads them.
 * - `x-` keys stay on the object they were written on; only YAML output shows them.
 */
export interface Service extends Extended {
  readonly profiles?: readonly string[];
  readonly annotations?: StringMap;
  readonly attach?: boolean;
  readonly build?: Build;
  readonly develop?: Develop | null;
  readonly blkio_config?: BlkioConfig;
  readonly cap_add?: readonly string[];
  readonly cap_drop?: readonly string[];
  readonly cgroup_parent?: string;
  readonly cgroup?: string;
  readonly cpu_count?: number;
  readonly cpu_percent?: number;
  readonly cpu_period?: number;
  readonly cpu_quota?: number;
  readonly cpu_rt_period?: number;
  readonly cpu_rt_runtime?: number;
  readonly cpus?: number;
  readonly cpuset?: string;
  readonly cpu_shares?: number;
  /** Absent: the image's own. `[]`: none at all. */
  readonly command?: readonly string[];
  readonly configs?: readonly FileMount[];
  readonly container_name?: string;
  readonly credential_spec?: CredentialSpec;
  readonly depends_on?: Readonly<Record<string, Dependency>>;
  readonly deploy?: Deploy;
  readonly device_cgroup_rules?: readonly string[];
  readonly devices?: readonly DeviceMapping[];
  readonly dns?: readonly string[];
  readonly dns_opt?: readonly string[];
  readonly dns_search?: readonly string[];
  readonly dockerfile?: string;
  readonly domainname?: string;
  /** Absent: the image's own. `[]`: none at all. */
  readonly entrypoint?: readonly string[];
  readonly provider?: Provider;
  /** `null`: named without a value, and the environment has none. */
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly env_file?: readonly EnvFile[];
  readonly expose?: readonly string[];
  readonly extends?: { readonly file?: string; readonly service?: string };
  readonly external_links?: readonly string[];
  /** `host=address`, sorted. */
  readonly extra_hosts?: readonly string[];
  readonly group_add?: readonly string[];
  readonly gpus?: readonly DeviceRequest[];
  readonly hostname?: string;
  readonly healthcheck?: HealthCheck;
  readonly image?: string;
  readonly init?: boolean;
  readonly ipc?: string;
  readonly isolation?: string;
  readonly labels?: StringMap;
  readonly label_file?: readonly string[];
  readonly links?: readonly string[];
  readonly logging?: Logging;
  readonly log_driver?: string;
  readonly log_opt?: StringMap;
  readonly mem_limit?: string;
  readonly mem_reservation?: string;
  readonly memswap_limit?: string;
  readonly mem_swappiness?: string;
  readonly mac_address?: string;
  readonly models?: Readonly<Record<string, ServiceModel | null>>;
  readonly net?: string;
  readonly network_mode?: string;
  readonly networks?: Readonly<Record<string, ServiceNetwork | null>>;
  readonly oom_kill_disable?: boolean;
  readonly oom_score_adj?: number;
  readonly pid?: string;
  readonly pids_limit?: number;
  readonly platform?: string;
  readonly ports?: readonly Port[];
  readonly privileged?: boolean;
  readonly pull_policy?: string;
  readonly read_only?: boolean;
  readonly restart?: string;
  readonly runtime?: string;
  readonly scale?: number;
  readonly secrets?: readonly FileMount[];
  readonly security_opt?: readonly string[];
  readonly shm_size?: string;
  readonly stdin_open?: boolean;
  readonly stop_grace_period?: string;
  readonly stop_signal?: string;
  readonly storage_opt?: StringMap;
  readonly sysctls?: StringMap;
  readonly tmpfs?: readonly string[];
  readonly tty?: boolean;
  readonly ulimits?: Readonly<Record<string, Ulimit>>;
  readonly use_api_socket?: boolean;
  readonly user?: string;
  readonly userns_mode?: string;
  readonly uts?: string;
  readonly volume_driver?: string;
  readonly volumes?: readonly Mount[];
  readonly volumes_from?: readonly string[];
  readonly working_dir?: string;
  readonly post_start?: readonly Hook[];
  readonly pre_stop?: readonly Hook[];
  readonly pre_start?: readonly InitStep[];
}

/** An object a user may write `x-` keys on. */
export interface Extended {
  readonly [extension: `x-${string}`]: unknown;
}

export type StringMap = Readonly<Record<string, string>>;

export interface Dependency extends Extended {
  readonly condition?: string;
  readonly restart?: boolean;
  readonly required: boolean;
}

export interface EnvFile {
  /** Absolute. */
  readonly path: string;
  readonly required: boolean;
  /** `raw`: read as `docker run --env-file` does; else the grammar of `.env`. */
  readonly format?: string;
}

/** A config or secret mounted into a service. */
export interface FileMount extends Extended {
  readonly source?: string;
  readonly target?: string;
  readonly uid?: string;
  readonly gid?: string;
  /** Octal with a leading zero: `"0440"`. */
  readonly mode?: string;
}

export interface Port extends Extended {
  readonly name?: string;
  readonly mode?: string;
  readonly host_ip?: string;
  readonly target?: number;
  /** A port or a range `8000-8010` to choose from. */
  readonly published?: string;
  readonly protocol?: string;
  readonly app_protocol?: string;
}

export interface Mount extends Extended {
  /** `bind`, `volume`, `tmpfs`, `npipe`, `cluster` or `image`. */
  readonly type?: string;
  readonly source?: string;
  readonly target?: string;
  readonly read_only?: boolean;
  readonly consistency?: string;
  readonly bind?: BindOptions;
  readonly volume?: VolumeOptions;
  readonly tmpfs?: TmpfsOptions;
  readonly image?: ImageOptions;
}

export interface BindOptions extends Extended {
  readonly selinux?: string;
  readonly propagation?: string;
  readonly create_host_path?: boolean;
  readonly recursive?: string;
}

export interface VolumeOptions extends Extended {
  readonly labels?: StringMap;
  readonly nocopy?: boolean;
  readonly subpath?: string;
}

export interface TmpfsOptions extends Extended {
  readonly size?: string;
  readonly mode?: number;
}

export interface ImageOptions extends Extended {
  readonly subpath?: string;
}

export interface ServiceNetwork extends Extended {
  readonly aliases?: readonly string[];
  readonly driver_opts?: StringMap;
  readonly gw_priority?: number;
  readonly interface_name?: string;
  readonly ipv4_address?: string;
  readonly ipv6_address?: string;
  readonly link_local_ips?: readonly string[];
  readonly mac_address?: string;
  readonly priority?: number;
}

export interface HealthCheck extends Extended {
  /** Its first word is `CMD`, `CMD-SHELL` or `NONE`. */
  readonly test?: readonly string[];
  readonly timeout?: string;
  readonly interval?: string;
  readonly retries?: number;
  readonly start_period?: string;
  readonly start_interval?: string;
  readonly disable?: boolean;
}

export interface Logging extends Extended {
  readonly driver?: string;
  readonly options?: StringMap;
}

/** One number for both limits, or each. */
export type Ulimit = number | UlimitRange;

export interface UlimitRange extends Extended {
  readonly soft?: number;
  readonly hard?: number;
}

export interface DeviceMapping extends Extended {
  readonly source?: string;
  readonly target?: string;
  readonly permissions?: string;
}

export interface BlkioConfig extends Extended {
  readonly weight?: number;
  readonly weight_device?: readonly BlkioWeight[];
  readonly device_read_bps?: readonly BlkioRate[];
  readonly device_read_iops?: readonly BlkioRate[];
  readonly device_write_bps?: readonly BlkioRate[];
  readonly device_write_iops?: readonly BlkioRate[];
}

export interface BlkioWeight extends Extended {
  readonly path: string;
  readonly weight: number;
}

export interface BlkioRate extends Extended {
  readonly path: string;
  /** Bytes or operations per second, digits in a string. */
  readonly rate: string;
}

export interface CredentialSpec extends Extended {
  readonly config?: string;
  readonly file?: string;
  readonly registry?: string;
}

export interface Provider extends Extended {
  readonly type?: string;
  readonly options?: Readonly<Record<string, readonly string[]>>;
}

export interface ServiceModel extends Extended {
  readonly endpoint_var?: string;
  readonly model_var?: string;
}

export interface Develop extends Extended {
  readonly watch?: readonly WatchTrigger[];
}

export interface WatchTrigger extends Extended {
  readonly path: string;
  /** `sync`, `rebuild`, `restart`, `sync+restart` or `sync+exec`. */
  readonly action: string;
  readonly target?: string;
  readonly exec?: Hook;
  readonly include?: readonly string[];
  readonly ignore?: readonly string[];
  readonly initial_sync?: boolean;
}

/** A command run inside the container at a point of its life. */
export interface Hook extends Extended {
  readonly command?: readonly string[];
  readonly user?: string;
  readonly privileged?: boolean;
  readonly working_dir?: string;
  readonly environment?: Readonly<Record<string, string | null>>;
}

/** A container that runs to its end before the service's own starts (`pre_start`). */
export interface InitStep extends Hook {
  /** Default: the service's image. */
  readonly image?: string;
  /** Runs for each container of the service instead of once. */
  readonly per_replica?: boolean;
}
