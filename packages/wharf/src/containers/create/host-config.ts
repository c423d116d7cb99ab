import { isMacAddress } from '../values/addresses.ts';
import { isCdiName, parseDevice } from '../values/devices.ts';
import { parseRestartPolicy, type Ulimit } from '../values/limits.ts';
import { cut, orNull, toMap } from '../values/pairs.ts';
import type { PortBinding } from '../values/ports.ts';
import { refuse } from '../values/refuse.ts';
import { networksOf } from './endpoints.ts';
import type { ContainerFlags } from './flags.ts';
import { readSecurity } from './security.ts';
import type { ContainerWish } from './wish.ts';

interface Parsed {
  readonly binds: readonly string[];
  readonly ports: Readonly<Record<string, readonly PortBinding[]>>;
}

/** `HostConfig` of the body, with every field that docker's client sends. */
export function hostConfigOf({ flags, given }: ContainerWish, { binds, ports }: Parsed) {
  checkModes(flags);
  const security = readSecurity(flags['security-opt']);
  const mounts = flags.mount.map(({ mount }) => mount);
  const tmpfs = Object.fromEntries(flags.tmpfs.map((text) => [cut(text, ':').before, cut(text, ':').after]));
  const restart = restartOf(flags);
  return {
    Binds: orNull(binds),
    ContainerIDFile: flags.cidfile ?? '',
    LogConfig: logConfig(flags),
    NetworkMode: networksOf(flags)[0]?.target ?? 'default',
    PortBindings: ports,
    RestartPolicy: restart,
    AutoRemove: flags.rm,
    VolumeDriver: flags['volume-driver'] ?? '',
    VolumesFrom: orNull(flags['volumes-from']),
    ConsoleSize: [0, 0] as readonly [height: number, width: number],
    ...unlessEmpty('Annotations', flags.annotation),
    CapAdd: capabilities(flags['cap-add']),
    CapDrop: capabilities(flags['cap-drop']),
    CgroupnsMode: flags.cgroupns ?? '',
    Dns: flags.dns,
    DnsOptions: [...flags['dns-opt'], ...flags['dns-option']],
    DnsSearch: flags['dns-search'],
    ExtraHosts: orNull(flags['add-host']),
    GroupAdd: orNull(flags['group-add']),
    IpcMode: flags.ipc ?? '',
    Cgroup: '',
    Links: orNull(flags.link),
    OomScoreAdj: flags['oom-score-adj'] ?? 0,
    PidMode: flags.pid ?? '',
    Privileged: flags.privileged,
    PublishAllPorts: flags['publish-all'],
    ReadonlyRootfs: flags['read-only'],
    SecurityOpt: security.options,
    ...unlessEmpty('StorageOpt', storageOptions(flags)),
    ...unlessEmpty('Tmpfs', tmpfs),
    UTSMode: flags.uts ?? '',
    UsernsMode: flags.userns ?? '',
    ShmSize: flags['shm-size'] ?? 0,
    ...unlessEmpty('Sysctls', toMap(flags.sysctl)),
    ...(flags.runtime ? { Runtime: flags.runtime } : {}),
    Isolation: flags.isolation ?? '',
    ...resourcesOf(flags),
    ...(mounts.length === 0 ? {} : { Mounts: mounts }),
    MaskedPaths: security.maskedPaths,
    ReadonlyPaths: security.readonlyPaths,
    ...(given.has('init') ? { Init: flags.init } : {}),
  };
}

function resourcesOf(flags: ContainerFlags) {
  const devices = flags.device.filter((text) => !isCdiName(text)).map(parseDevice);
  const cdi = flags.device.filter(isCdiName);
  const cdiRequest = { Driver: 'cdi', Count: 0, DeviceIDs: cdi, Capabilities: null, Options: null };
  const requests = cdi.length === 0 ? flags.gpus : [...flags.gpus, cdiRequest];
  return {
    CpuShares: flags['cpu-shares'] ?? 0,
    Memory: flags.memory ?? 0,
    NanoCpus: flags.cpus ?? 0,
    CgroupParent: flags['cgroup-parent'] ?? '',
    BlkioWeight: flags['blkio-weight'] ?? 0,
    BlkioWeightDevice: flags['blkio-weight-device'],
    BlkioDeviceReadBps: flags['device-read-bps'],
    BlkioDeviceWriteBps: flags['device-write-bps'],
    BlkioDeviceReadIOps: flags['device-read-iops'],
    BlkioDeviceWriteIOps: flags['device-write-iops'],
    CpuPeriod: flags['cpu-period'] ?? 0,
    CpuQuota: flags['cpu-quota'] ?? 0,
    CpuRealtimePeriod: flags['cpu-rt-period'] ?? 0,
    CpuRealtimeRuntime: flags['cpu-rt-runtime'] ?? 0,
    CpusetCpus: flags['cpuset-cpus'] ?? '',
    CpusetMems: flags['cpuset-mems'] ?? '',
    Devices: devices,
    DeviceCgroupRules: orNull(flags['device-cgroup-rule']),
    DeviceRequests: orNull(requests),
    MemoryReservation: flags['memory-reservation'] ?? 0,
    MemorySwap: flags['memory-swap'] ?? 0,
    MemorySwappiness: flags['memory-swappiness'],
    OomKillDisable: flags['oom-kill-disable'],
    PidsLimit: flags['pids-limit'] ?? 0,
    Ulimits: ulimits(flags.ulimit),
    CpuCount: flags['cpu-count'] ?? 0,
    CpuPercent: flags['cpu-percent'] ?? 0,
    IOMaximumIOps: flags['io-maxiops'] ?? 0,
    IOMaximumBandwidth: flags['io-maxbandwidth'] ?? 0,
  };
}

/** The last of a name counts. */
function ulimits(given: readonly Ulimit[]): readonly Ulimit[] {
  return [...new Map(given.map((limit) => [limit.Name, limit])).values()].toSorted((left, right) =>
    left.Name < right.Name ? -1 : 1,
  );
}

function checkModes({ pid = '', uts = '', userns = '', cgroupns = '', 'mac-address': mac = '' }: ContainerFlags): void {
  if (mac !== '' && !isMacAddress(mac)) throw refuse(`${mac} is not a valid mac address`);
  if (pid !== '' && pid !== 'host' && !/^container:./.test(pid)) throw refuse('--pid: invalid PID mode');
  if (uts !== '' && uts !== 'host') throw refuse('--uts: invalid UTS mode');
  if (userns !== '' && userns !== 'host') throw refuse('--userns: invalid USER mode');
  if (!['', 'host', 'private'].includes(cgroupns)) throw refuse('--cgroupns: invalid CGROUP mode');
}

function restartOf({ restart, rm }: ContainerFlags) {
  const policy = parseRestartPolicy(restart);
  if (rm && policy.Name !== '' && policy.Name !== 'no') {
    throw refuse('conflicting options: cannot specify both --restart and --rm');
  }
  return policy;
}

function logConfig({ 'log-driver': driver = '', 'log-opt': options }: ContainerFlags) {
  if (driver === 'none' && options.length > 0) throw refuse(`invalid logging opts for driver ${driver}`);
  return { Type: driver, Config: toMap(options) };
}

function storageOptions({ 'storage-opt': options }: ContainerFlags): Readonly<Record<string, string>> {
  if (options.some((option) => !option.includes('='))) throw refuse('invalid storage option');
  return toMap(options);
}

/** In capitals with `CAP_`, each once, sorted. */
function capabilities(given: readonly string[]): readonly string[] | null {
  const names = given.map((name) => {
    const upper = name.toUpperCase();
    return upper === 'ALL' || upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  });
  return orNull([...new Set(names)].toSorted());
}

function unlessEmpty<Name extends string>(
  name: Name,
  map: Readonly<Record<string, string>>,
): Partial<Readonly<Record<Name, Readonly<Record<string, string>>>>> {
  return Object.keys(map).length === 0 ? {} : ({ [name]: map } as Record<Name, Readonly<Record<string, string>>>);
}
