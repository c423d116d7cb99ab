import { formatRfc3339Nano, redact } from '@wharf/kit';
import type { SystemInfo } from '@wharf/wire/docker/types';
import type { ContainerStatus } from '../containers/container.ts';
import type { EngineConfig } from '../engine-config.ts';
import type { CdiDevices } from '../runtime/cdi/registry.ts';
import { type CgroupFacts, cgroupWarnings } from './cgroup-facts.ts';
import type { HostFacts } from './host-facts.ts';

/** Everything `GET /info` is made of. */
export interface InfoParts {
  readonly id: string;
  readonly version: string;
  readonly config: EngineConfig;
  readonly host: HostFacts;
  readonly cgroup: CgroupFacts;
  readonly cdi: CdiDevices;
  readonly nowNs: bigint;
  readonly containers: readonly ContainerStatus[];
  readonly images: number;
  readonly snapshotter: string;
  readonly runtimes: Readonly<Record<string, { readonly path: string; readonly runtimeArgs: readonly string[] }>>;
  readonly defaultRuntime: string;
  readonly runtimeCommit: string;
  readonly monitorCommit: string;
  readonly logDrivers: readonly string[];
  readonly networkDrivers: readonly string[];
  readonly volumeDrivers: readonly string[];
  readonly openFiles: number;
  readonly tasks: number;
  readonly eventListeners: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `GET /info` in the newest version's shape. Pure. */
export function toInfo(parts: InfoParts): SystemInfo {
  const { config, host, cgroup } = parts;
  return {
    ID: parts.id,
    ...countContainers(parts.containers),
    Images: parts.images,
    Driver: parts.snapshotter,
    DriverStatus: [['driver-type', 'io.containerd.snapshotter.v1']],
    Plugins: { Volume: parts.volumeDrivers, Network: parts.networkDrivers, Authorization: null, Log: parts.logDrivers },
    ...limits(cgroup),
    IPv4Forwarding: host.ipv4Forwarding,
    Debug: config.debug,
    NFd: parts.openFiles,
    OomKillDisable: cgroup.oomKillDisable,
    NGoroutines: parts.tasks,
    SystemTime: formatRfc3339Nano(parts.nowNs),
    LoggingDriver: config.logDriver,
    CgroupDriver: config.cgroupDriver,
    CgroupVersion: cgroup.version,
    NEventsListener: parts.eventListeners,
    KernelVersion: host.kernelVersion,
    OperatingSystem: host.operatingSystem,
    OSVersion: host.osVersion,
    OSType: 'linux',
    Architecture: host.architecture,
    IndexServerAddress: 'https://index.docker.io/v1/',
    RegistryConfig: registryConfig(config),
    NCPU: host.cpus,
    MemTotal: host.memoryBytes,
    GenericResources: null,
    DockerRootDir: config.dataRoot,
    ...proxies(parts.environment),
    Name: host.hostname,
    Labels: config.labels,
    ExperimentalBuild: false,
    ServerVersion: parts.version,
    ...runtimes(parts),
    // Containers always outlive the daemon here.
    LiveRestoreEnabled: true,
    Isolation: '',
    InitBinary: config.initPath ?? 'docker-init',
    SecurityOptions: securityOptions(parts),
    Swarm: {
      NodeID: '',
      NodeAddr: '',
      LocalNodeState: 'inactive',
      ControlAvailable: false,
      Error: '',
      RemoteManagers: null,
    },
    FirewallBackend: { Driver: 'nftables' },
    CDISpecDirs: config.cdiSpecDirs,
    ...discovered(parts.cdi),
    Warnings: warnings(parts),
  };
}

function countContainers(
  statuses: readonly ContainerStatus[],
): Pick<SystemInfo, 'Containers' | 'ContainersRunning' | 'ContainersPaused' | 'ContainersStopped'> {
  const running = statuses.filter((status) => status === 'running').length;
  const paused = statuses.filter((status) => status === 'paused').length;
  return {
    Containers: statuses.length,
    ContainersRunning: running,
    ContainersPaused: paused,
    ContainersStopped: statuses.length - running - paused,
  };
}

function limits(cgroup: CgroupFacts) {
  return {
    MemoryLimit: cgroup.memoryLimit,
    SwapLimit: cgroup.swapLimit,
    CpuCfsPeriod: cgroup.cpuCfs,
    CpuCfsQuota: cgroup.cpuCfs,
    CPUShares: cgroup.cpuShares,
    CPUSet: cgroup.cpuSet,
    PidsLimit: cgroup.pidsLimit,
  };
}

function registryConfig(config: EngineConfig): SystemInfo['RegistryConfig'] {
  const mirrors = config.registryMirrors;
  const insecure = config.insecureRegistries.filter((name) => !name.includes('/'));
  const networks = config.insecureRegistries.filter((name) => name.includes('/'));
  const named = insecure.map((Name) => [Name, { Name, Mirrors: [], Secure: false, Official: false }] as const);
  return {
    InsecureRegistryCIDRs: ['::1/128', '127.0.0.0/8', ...networks],
    IndexConfigs: {
      'docker.io': { Name: 'docker.io', Mirrors: mirrors, Secure: true, Official: true },
      ...Object.fromEntries(named),
    },
    Mirrors: mirrors.length > 0 ? mirrors : null,
  };
}

function proxies(environment: InfoParts['environment']) {
  const read = (name: string) => environment[name] ?? environment[name.toLowerCase()] ?? '';
  return { HttpProxy: redact(read('HTTP_PROXY')), HttpsProxy: redact(read('HTTPS_PROXY')), NoProxy: read('NO_PROXY') };
}

function runtimes(parts: InfoParts) {
  const entries = Object.entries(parts.runtimes).map(([name, { path, runtimeArgs }]) => {
    return [name, { path, ...(runtimeArgs.length === 0 ? {} : { runtimeArgs }) }] as const;
  });
  return {
    Runtimes: Object.fromEntries(entries),
    DefaultRuntime: parts.defaultRuntime,
    // The clients' words for these are fixed: the first is whoever keeps the containers, here the monitor.
    ContainerdCommit: { ID: parts.monitorCommit },
    RuncCommit: { ID: parts.runtimeCommit },
    InitCommit: { ID: 'N/A' },
  };
}

function securityOptions({ host, cgroup, config: { walls } }: InfoParts): readonly string[] {
  const privateCgroups = (walls.cgroupnsMode ?? (cgroup.version === '2' ? 'private' : 'host')) === 'private';
  const { seccompProfile } = walls;
  const profile = seccompProfile === 'builtin' || seccompProfile === 'unconfined' ? seccompProfile : 'custom';
  return [
    ...(host.appArmor ? ['name=apparmor'] : []),
    ...(host.seccomp ? [`name=seccomp,profile=${profile}`] : []),
    ...(walls.userNamespace === undefined ? [] : ['name=userns']),
    ...(host.cgroupNamespaces && privateCgroups ? ['name=cgroupns'] : []),
    ...(walls.noNewPrivileges ? ['name=no-new-privileges'] : []),
  ];
}

function discovered({ devices }: CdiDevices): Pick<SystemInfo, 'DiscoveredDevices'> {
  if (devices.size === 0) return {};
  return { DiscoveredDevices: [...devices.keys()].toSorted().map((ID) => ({ Source: 'cdi', ID })) };
}

function warnings({ host, cgroup, config, cdi }: InfoParts): SystemInfo['Warnings'] {
  const { walls } = config;
  const seccomp =
    walls.seccompProfile === 'builtin' ? [] : ['WARNING: daemon is not using the default seccomp profile'];
  const all = [
    ...cgroupWarnings(cgroup),
    ...seccomp,
    ...(host.ipv4Forwarding ? [] : ['WARNING: IPv4 forwarding is disabled']),
    ...cdi.problems.map((text) => `WARNING: ${text}`),
  ];
  return all.length === 0 ? null : all;
}

/** `GET /info` as older API versions have it. */
export function shapeInfo(
  info: SystemInfo,
  minor: number,
  cgroup: Pick<CgroupFacts, 'kernelMemory' | 'kernelMemoryTcp'>,
): object {
  const shaped: Record<string, unknown> = { ...info };
  if (minor < 52) shaped.KernelMemoryTCP = cgroup.kernelMemoryTcp;
  if (minor < 53) delete shaped.NRI;
  if (minor < 50) {
    delete shaped.DiscoveredDevices;
    shaped.BridgeNfIptables = false;
    shaped.BridgeNfIp6tables = false;
  }
  if (minor < 49) {
    delete shaped.FirewallBackend;
    for (const key of ['ContainerdCommit', 'RuncCommit', 'InitCommit'] as const) {
      shaped[key] = { ...info[key], Expected: info[key].ID };
    }
  }
  if (minor < 47) {
    shaped.RegistryConfig = {
      ...info.RegistryConfig,
      AllowNondistributableArtifactsCIDRs: null,
      AllowNondistributableArtifactsHostnames: null,
    };
  }
  if (minor < 46) delete shaped.Containerd;
  if (minor < 42) shaped.KernelMemory = cgroup.kernelMemory;
  if (minor < 25) {
    // `name=seccomp,profile=builtin` was `seccomp`.
    shaped.SecurityOptions = (info.SecurityOptions ?? []).map((option) => option.replace(/^name=([^,]*).*$/, '$1'));
  }
  return shaped;
}
