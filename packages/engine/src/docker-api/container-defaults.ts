import type { ContainerConfig, HostConfig } from '@wharf/wire/docker/types';

/**
 * The fields dockerd always writes, with Go's zero values: typed clients tell `null`, `[]` and missing apart, and scripts
 * read fields without asking whether they are there. The order is dockerd's.
 */
const HOST_CONFIG_ZEROS = {
  Binds: null,
  ContainerIDFile: '',
  LogConfig: { Type: '', Config: {} },
  NetworkMode: 'default',
  PortBindings: null,
  RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
  AutoRemove: false,
  VolumeDriver: '',
  VolumesFrom: null,
  ConsoleSize: [0, 0],
  CapAdd: null,
  CapDrop: null,
  CgroupnsMode: 'private',
  Dns: null,
  DnsOptions: null,
  DnsSearch: null,
  ExtraHosts: null,
  GroupAdd: null,
  IpcMode: 'private',
  Cgroup: '',
  Links: null,
  OomScoreAdj: 0,
  PidMode: '',
  Privileged: false,
  PublishAllPorts: false,
  ReadonlyRootfs: false,
  SecurityOpt: null,
  UTSMode: '',
  UsernsMode: '',
  ShmSize: 67_108_864,
  Runtime: '',
  Isolation: '',
  CpuShares: 0,
  Memory: 0,
  NanoCpus: 0,
  CgroupParent: '',
  BlkioWeight: 0,
  BlkioWeightDevice: null,
  BlkioDeviceReadBps: null,
  BlkioDeviceWriteBps: null,
  BlkioDeviceReadIOps: null,
  BlkioDeviceWriteIOps: null,
  CpuPeriod: 0,
  CpuQuota: 0,
  CpuRealtimePeriod: 0,
  CpuRealtimeRuntime: 0,
  CpusetCpus: '',
  CpusetMems: '',
  Devices: null,
  DeviceCgroupRules: null,
  DeviceRequests: null,
  MemoryReservation: 0,
  MemorySwap: 0,
  MemorySwappiness: null,
  OomKillDisable: null,
  PidsLimit: null,
  Ulimits: null,
  CpuCount: 0,
  CpuPercent: 0,
  IOMaximumIOps: 0,
  IOMaximumBandwidth: 0,
} satisfies HostConfig;

const CONFIG_ZEROS = {
  Hostname: '',
  Domainname: '',
  User: '',
  AttachStdin: false,
  AttachStdout: false,
  AttachStderr: false,
  Tty: false,
  OpenStdin: false,
  StdinOnce: false,
  Env: null,
  Cmd: null,
  Image: '',
  Volumes: null,
  WorkingDir: '',
  Entrypoint: null,
  Labels: {},
} satisfies ContainerConfig;

/** Fields dockerd leaves out when they are empty (`omitempty`). */
const OMIT_EMPTY = new Set([
  ...['Annotations', 'StorageOpt', 'Tmpfs', 'Sysctls', 'Mounts', 'Init', 'ExposedPorts', 'Healthcheck', 'ArgsEscaped'],
  ...[
    'NetworkDisabled',
    'MacAddress',
    'StopSignal',
    'StopTimeout',
    'Shell',
    'OnBuild',
    'KernelMemory',
    'KernelMemoryTCP',
  ],
]);

/** A stored HostConfig as `inspect` shows it. Where the kernel can spare groups from the OOM killer, dockerd says whether it does. */
export function completeHostConfig(given: HostConfig, facts: { readonly oomKillDisable: boolean }): HostConfig {
  const config = complete<HostConfig>(HOST_CONFIG_ZEROS, given);
  return facts.oomKillDisable ? { ...config, OomKillDisable: config.OomKillDisable ?? false } : config;
}

/** A stored Config as `inspect` shows it; `OnBuild` was always there before 1.52. */
export function completeConfig(given: ContainerConfig, options: { readonly onBuild: boolean }): ContainerConfig {
  const config = complete<ContainerConfig>(CONFIG_ZEROS, given);
  return options.onBuild ? { ...config, OnBuild: given.OnBuild ?? null } : config;
}

function complete<T extends object>(zeros: Partial<T>, given: T): T {
  const merged: Record<string, unknown> = Object.fromEntries(Object.entries(zeros));
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || (value === null && key in zeros)) continue;
    if ((OMIT_EMPTY.has(key) || key === 'Volumes') && isEmpty(value)) continue;
    merged[key] = value;
  }
  return merged as T;
}

function isEmpty(value: unknown): boolean {
  if (value === null || value === false || value === '' || value === 0) return true;
  return typeof value === 'object' && Object.keys(value).length === 0;
}
