import {
  array,
  bool,
  dict,
  type Fields,
  int,
  int64,
  list,
  normalizePort,
  portSet,
  string,
  stringDict,
  stringSet,
  strings,
  strSlice,
  struct,
  uint16,
  uint32,
} from './shapes.ts';
import type {
  BindOptions,
  ContainerConfig,
  DeviceMapping,
  DeviceRequest,
  HealthConfig,
  HostConfig,
  IDMapping,
  ImageMountOptions,
  LogConfig,
  Mount,
  PortBinding,
  Resources,
  RestartPolicy,
  ThrottleDevice,
  TmpfsOptions,
  Ulimit,
  VolumeOptions,
  WeightDevice,
} from './types.ts';

const health = struct<HealthConfig>('HealthcheckConfig', {
  Test: strings,
  Interval: int64,
  Timeout: int64,
  StartPeriod: int64,
  StartInterval: int64,
  Retries: int,
});

/** The fields of a container's portable configuration. */
export const configFields: Fields<ContainerConfig> = {
  Hostname: string,
  Domainname: string,
  User: string,
  AttachStdin: bool,
  AttachStdout: bool,
  AttachStderr: bool,
  ExposedPorts: portSet,
  Tty: bool,
  OpenStdin: bool,
  StdinOnce: bool,
  Env: strings,
  Cmd: strSlice,
  Healthcheck: health,
  ArgsEscaped: bool,
  Image: string,
  Volumes: stringSet,
  WorkingDir: string,
  Entrypoint: strSlice,
  NetworkDisabled: bool,
  MacAddress: string,
  OnBuild: strings,
  Labels: stringDict,
  StopSignal: string,
  StopTimeout: int,
  Shell: strSlice,
};

const throttle = list(
  struct<ThrottleDevice>('ThrottleDevice', { Path: string, Rate: int64 }),
  '[]*blkiodev.ThrottleDevice',
  { Path: '', Rate: 0 },
);

const device = struct<DeviceMapping>('DeviceMapping', {
  PathOnHost: string,
  PathInContainer: string,
  CgroupPermissions: string,
});

const deviceRequest = struct<DeviceRequest>('DeviceRequest', {
  Driver: string,
  Count: int,
  DeviceIDs: strings,
  Capabilities: list(strings, '[][]string', []),
  Options: stringDict,
});

/** The fields `update` knows, and the first half of `HostConfig`. */
export const resourceFields: Fields<Resources> = {
  CpuShares: int64,
  Memory: int64,
  NanoCpus: int64,
  CgroupParent: string,
  BlkioWeight: uint16,
  BlkioWeightDevice: list(
    struct<WeightDevice>('WeightDevice', { Path: string, Weight: uint16 }),
    '[]*blkiodev.WeightDevice',
    { Path: '', Weight: 0 },
  ),
  BlkioDeviceReadBps: throttle,
  BlkioDeviceWriteBps: throttle,
  BlkioDeviceReadIOps: throttle,
  BlkioDeviceWriteIOps: throttle,
  CpuPeriod: int64,
  CpuQuota: int64,
  CpuRealtimePeriod: int64,
  CpuRealtimeRuntime: int64,
  CpusetCpus: string,
  CpusetMems: string,
  Devices: list(device, '[]container.DeviceMapping', { PathOnHost: '', PathInContainer: '', CgroupPermissions: '' }),
  DeviceCgroupRules: strings,
  DeviceRequests: list(deviceRequest, '[]container.DeviceRequest', {}),
  KernelMemory: int64,
  KernelMemoryTCP: int64,
  MemoryReservation: int64,
  MemorySwap: int64,
  MemorySwappiness: int64,
  OomKillDisable: bool,
  PidsLimit: int64,
  Ulimits: list(struct<Ulimit>('Ulimit', { Name: string, Soft: int64, Hard: int64 }), '[]*units.Ulimit', {
    Name: '',
    Soft: 0,
    Hard: 0,
  }),
  CpuCount: int64,
  CpuPercent: int64,
  IOMaximumIOps: int64,
  IOMaximumBandwidth: int64,
};

const idMapping = struct<IDMapping>('IDMapping', { Source: string, User: string });

const mount = struct<Mount>('Mount', {
  Type: string,
  Source: string,
  Target: string,
  ReadOnly: bool,
  Consistency: string,
  BindOptions: struct<BindOptions>('BindOptions', {
    Propagation: string,
    NonRecursive: bool,
    CreateMountpoint: bool,
    ReadOnlyNonRecursive: bool,
    ReadOnlyForceRecursive: bool,
    IDMapping: idMapping,
  }),
  VolumeOptions: struct<VolumeOptions>('VolumeOptions', {
    IDMapping: idMapping,
    NoCopy: bool,
    Labels: stringDict,
    DriverConfig: struct<NonNullable<VolumeOptions['DriverConfig']>>('Driver', { Name: string, Options: stringDict }),
    Subpath: string,
  }),
  ImageOptions: struct<ImageMountOptions>('ImageOptions', { Subpath: string }),
  TmpfsOptions: struct<TmpfsOptions>('TmpfsOptions', {
    SizeBytes: int64,
    Mode: uint32,
    Options: list(strings, '[][]string', []),
  }),
});

const binding = struct<PortBinding>('PortBinding', { HostIp: string, HostPort: string });

/** A binding leaves out what it does not say; the type promises both. */
const fullBinding = (value: unknown, at: string): PortBinding => ({ HostIp: '', HostPort: '', ...binding(value, at) });

export const restartPolicy = struct<RestartPolicy>('RestartPolicy', { Name: string, MaximumRetryCount: int });

const namedPolicy = (value: unknown, at: string): RestartPolicy | undefined => {
  const policy = restartPolicy(value, at);
  return policy && { ...policy, Name: policy.Name ?? '' };
};

/** The fields of a container's host configuration. */
export const hostConfigFields: Fields<HostConfig> = {
  ...resourceFields,
  Binds: strings,
  ContainerIDFile: string,
  LogConfig: (value, at) => {
    const config = struct<LogConfig>('LogConfig', { Type: string, Config: stringDict })(value, at);
    return config && { ...config, Type: config.Type ?? '' };
  },
  NetworkMode: string,
  PortBindings: dict({
    item: list(fullBinding, '[]network.PortBinding', { HostIp: '', HostPort: '' }),
    goType: 'network.PortMap',
    zero: [],
    key: normalizePort,
  }),
  RestartPolicy: namedPolicy,
  AutoRemove: bool,
  VolumeDriver: string,
  VolumesFrom: strings,
  Mounts: list(mount, '[]mount.Mount', {}),
  ConsoleSize: array(2),
  Annotations: stringDict,
  CapAdd: strSlice,
  CapDrop: strSlice,
  Capabilities: strings,
  CgroupnsMode: string,
  Dns: strings,
  DnsOptions: strings,
  DnsSearch: strings,
  ExtraHosts: strings,
  GroupAdd: strings,
  IpcMode: string,
  Cgroup: string,
  Links: strings,
  OomScoreAdj: int,
  PidMode: string,
  Privileged: bool,
  PublishAllPorts: bool,
  ReadonlyRootfs: bool,
  SecurityOpt: strings,
  StorageOpt: stringDict,
  Tmpfs: stringDict,
  UTSMode: string,
  UsernsMode: string,
  ShmSize: int64,
  Sysctls: stringDict,
  Runtime: string,
  Isolation: string,
  MaskedPaths: strings,
  ReadonlyPaths: strings,
  Init: bool,
};
