import type { IdMapping } from '@wharf/linux/user-namespace';
import type { Ulimit } from '@wharf/wire/docker/types';
import type { CgroupDriver } from './runtime/cgroup-place.ts';

/** Bytes of the build cache; zero says nothing. */
export interface BuildCacheSpace {
  /** So much is never removed. */
  readonly reservedBytes: number;
  readonly maxUsedBytes: number;
  /** So much of the disk is to stay free. */
  readonly minFreeBytes: number;
}

export interface BuildCacheRule extends BuildCacheSpace {
  /** Also what images share. */
  readonly all: boolean;
  /** Names and values, as of `docker builder prune --filter`. */
  readonly filters: readonly (readonly [string, string])[];
}

/** How the build cache is kept small (dockerd's `builder.gc`). */
export interface BuildCacheConfig {
  readonly enabled: boolean;
  /** What the usual rules are made with. */
  readonly space: BuildCacheSpace;
  /** In the place of the usual ones. */
  readonly rules?: readonly BuildCacheRule[];
}

/** Which records of builds are kept (dockerd's `builder.history`): one goes when there are so many newer ones and it is so old. */
export interface BuildHistoryConfig {
  readonly maxEntries: number;
  readonly maxAgeMs: number;
}

/** The daemon's own word on the walls around a container; a container may ask for others. */
export interface WallDefaults {
  /** `builtin`, `unconfined`, or a profile's JSON text. */
  readonly seccompProfile: string;
  readonly noNewPrivileges: boolean;
  /** `undefined` leaves it to the container's other settings and the host. */
  readonly ipcMode: 'private' | 'shareable' | undefined;
  readonly cgroupnsMode: 'private' | 'host' | undefined;
  /** Every container gets a user namespace with these ids, except with `--userns=host`. */
  readonly userNamespace: IdMapping | undefined;
}

export const DEFAULT_WALLS: WallDefaults = {
  seccompProfile: 'builtin',
  noNewPrivileges: false,
  ipcMode: undefined,
  cgroupnsMode: undefined,
  userNamespace: undefined,
};

/**
 * What the rooms need to know of the daemon's configuration; the daemon's own configuration has this form and more.
 */
export interface EngineConfig {
  readonly dataRoot: string;
  readonly execRoot: string;
  /** The addresses the API answers on, as `--host` gives them. */
  readonly hosts: readonly string[];
  readonly labels: readonly string[];
  readonly debug: boolean;

  readonly defaultRuntime: string;
  readonly runtimes: Readonly<Record<string, { readonly path: string; readonly runtimeArgs: readonly string[] }>>;
  /** `--init` uses it; found on PATH (`docker-init`, `tini`, `catatonit`) when absent. */
  readonly initPath: string | undefined;
  /** Every container gets an init unless it says otherwise. */
  readonly init: boolean;
  readonly cgroupParent: string | undefined;
  /** Who makes the control groups: we, or systemd when asked. */
  readonly cgroupDriver: CgroupDriver;
  /** Where the specifications of CDI devices are; empty turns CDI off. */
  readonly cdiSpecDirs: readonly string[];
  /** What containers stand behind unless they say otherwise. */
  readonly walls: WallDefaults;
  readonly defaultUlimits: readonly Ulimit[];
  /** What builds may be allowed beyond the usual, in BuildKit's words. */
  readonly buildEntitlements: readonly string[];
  readonly buildCache: BuildCacheConfig;
  readonly buildHistory: BuildHistoryConfig;
  readonly defaultShmSizeBytes: number;

  readonly logDriver: string;
  readonly logOptions: Readonly<Record<string, string>>;

  /** Where volume plugins are found; Docker's directories when empty. */
  readonly pluginDirs: readonly string[];

  readonly registryMirrors: readonly string[];
  readonly insecureRegistries: readonly string[];
  /** Directories with a folder of settings and certificates for each registry. */
  readonly registryDirectories: readonly string[];
  readonly maxConcurrentDownloads: number;
  readonly maxConcurrentUploads: number;
  readonly maxDownloadAttempts: number;
  /** For the daemon's own calls to registries; the environment's where absent. */
  readonly httpProxy: string | undefined;
  readonly httpsProxy: string | undefined;
  readonly noProxy: string | undefined;

  /** Name of the default bridge; `none` for no default network. */
  readonly bridge: string;
  readonly bip: string | undefined;
  /** As `bip`, of IPv6. */
  readonly bip6: string | undefined;
  /** Where the default bridge gives out addresses from. */
  readonly fixedCidr: string | undefined;
  /** The IPv6 subnet of the default bridge. */
  readonly fixedCidr6: string | undefined;
  /** What containers of the default bridge use as their gateway, where it is not the bridge. */
  readonly defaultGateway: string | undefined;
  readonly defaultGateway6: string | undefined;
  /** Networks have IPv6 too unless it is said otherwise. */
  readonly ipv6: boolean;
  /** Containers of the default bridge may talk to each other. */
  readonly icc: boolean;
  /** The default bridge hides its containers behind this host. */
  readonly ipMasquerade: boolean;
  /** Where networks without a subnet of their own get one from; Docker's usual ones for a family not named. */
  readonly addressPools: readonly { readonly base: string; readonly size: number }[];
  /** Options of new networks, by driver. */
  readonly defaultNetworkOptions: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** 0 leaves the kernel's choice. */
  readonly mtu: number;
  /** Where ports of the default network are published that name no host address; `0.0.0.0`: everywhere, in both families. */
  readonly hostIp: string;
  readonly dns: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly dnsOptions: readonly string[];
}

/** A configuration with every default, for tests. */
export function defaultEngineConfig(
  given: Partial<EngineConfig> & Pick<EngineConfig, 'dataRoot' | 'execRoot'>,
): EngineConfig {
  return {
    hosts: [],
    labels: [],
    debug: false,
    defaultRuntime: 'crun',
    runtimes: { crun: { path: 'crun', runtimeArgs: [] }, runc: { path: 'runc', runtimeArgs: [] } },
    initPath: undefined,
    init: false,
    cgroupParent: undefined,
    cgroupDriver: 'cgroupfs',
    cdiSpecDirs: [],
    walls: DEFAULT_WALLS,
    defaultUlimits: [],
    buildEntitlements: ['network.host'],
    buildCache: { enabled: true, space: { reservedBytes: 0, maxUsedBytes: 0, minFreeBytes: 0 } },
    buildHistory: { maxEntries: 50, maxAgeMs: 48 * 3600 * 1000 },
    defaultShmSizeBytes: 64 * 1024 * 1024,
    logDriver: 'json-file',
    logOptions: {},
    pluginDirs: [],
    registryMirrors: [],
    insecureRegistries: [],
    registryDirectories: [],
    maxConcurrentDownloads: 3,
    maxConcurrentUploads: 5,
    maxDownloadAttempts: 5,
    httpProxy: undefined,
    httpsProxy: undefined,
    noProxy: undefined,
    bridge: 'wharf0',
    bip: undefined,
    bip6: undefined,
    fixedCidr: undefined,
    fixedCidr6: undefined,
    defaultGateway: undefined,
    defaultGateway6: undefined,
    ipv6: true,
    icc: true,
    ipMasquerade: true,
    addressPools: [],
    defaultNetworkOptions: {},
    mtu: 0,
    hostIp: '0.0.0.0',
    dns: [],
    dnsSearch: [],
    dnsOptions: [],
    ...given,
  };
}
