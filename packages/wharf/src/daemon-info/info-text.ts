import { binarySize } from '../term/units.ts';

/** What `GET /info` answers, as far as it is printed. */
export interface DaemonInfo {
  readonly [key: string]: unknown;
  readonly Plugins?: Readonly<Record<string, readonly string[] | null | undefined>>;
  readonly DriverStatus?: readonly (readonly [string, string])[] | null;
  readonly SystemStatus?: readonly (readonly [string, string])[] | null;
  readonly CDISpecDirs?: readonly string[] | null;
  readonly DiscoveredDevices?: readonly { readonly Source?: string; readonly ID?: string }[] | null;
  readonly Swarm?: { readonly LocalNodeState?: string };
  readonly Runtimes?: Readonly<Record<string, unknown>> | null;
  readonly SecurityOptions?: readonly string[] | null;
  readonly Labels?: readonly string[] | null;
  readonly RegistryConfig?: {
    readonly InsecureRegistryCIDRs?: readonly string[] | null;
    readonly IndexConfigs?: Readonly<Record<string, { readonly Name: string; readonly Secure: boolean }>> | null;
    readonly Mirrors?: readonly string[] | null;
  } | null;
  readonly DefaultAddressPools?: readonly { readonly Base: string; readonly Size: number }[] | null;
  readonly Warnings?: readonly string[] | null;
}

/** The part of `wharf info` that is about the daemon, line by line as docker prints it. */
export function infoLines(info: DaemonInfo, user: string): readonly string[] {
  return [
    ...countLines(info),
    ...pluginLines(info),
    ...runtimeLines(info),
    ...machineLines(info),
    ...filled(' Username:', user),
    ...list(' Labels:', info.Labels),
    ` Experimental: ${text(info, 'ExperimentalBuild') || 'false'}`,
    ...registryLines(info),
    ` Live Restore Enabled: ${text(info, 'LiveRestoreEnabled') || 'false'}`,
    ...filled(' Product License:', text(info, 'ProductLicense')),
    ...list(
      ' Default Address Pools:',
      info.DefaultAddressPools?.map(({ Base, Size }) => ` Base: ${Base}, Size: ${Size}`),
    ),
    '',
  ];
}

function text(info: DaemonInfo, key: string): string {
  const value = info[key];
  return value === undefined || value === null || typeof value === 'object' ? '' : String(value as string | number);
}

function filled(label: string, value: string): readonly string[] {
  return value === '' ? [] : [`${label} ${value}`];
}

function list(title: string, items: readonly string[] | null | undefined): readonly string[] {
  return !items || items.length === 0 ? [] : [title, ...items.map((item) => `  ${item}`)];
}

function countLines(info: DaemonInfo): readonly string[] {
  const pairs = (indent: string, rows: DaemonInfo['DriverStatus']) =>
    (rows ?? []).map(([name, value]) => `${indent}${name}: ${value}`);
  return [
    ` Containers: ${text(info, 'Containers')}`,
    `  Running: ${text(info, 'ContainersRunning')}`,
    `  Paused: ${text(info, 'ContainersPaused')}`,
    `  Stopped: ${text(info, 'ContainersStopped')}`,
    ` Images: ${text(info, 'Images')}`,
    ...filled(' Server Version:', text(info, 'ServerVersion')),
    ...filled(' Storage Driver:', text(info, 'Driver')),
    ...pairs('  ', info.DriverStatus),
    ...pairs(' ', info.SystemStatus),
    ...filled(' Logging Driver:', text(info, 'LoggingDriver')),
    ...filled(' Cgroup Driver:', text(info, 'CgroupDriver')),
    ...filled(' Cgroup Version:', text(info, 'CgroupVersion')),
  ];
}

function pluginLines({ Plugins, CDISpecDirs, DiscoveredDevices, Swarm }: DaemonInfo): readonly string[] {
  const names = (kind: string) => (Plugins?.[kind] ?? []).join(' ');
  return [
    ' Plugins:',
    `  Volume: ${names('Volume')}`,
    `  Network: ${names('Network')}`,
    ...filled('  Authorization:', names('Authorization')),
    `  Log: ${names('Log')}`,
    ...list(' CDI spec directories:', CDISpecDirs),
    ...list(
      ' Discovered Devices:',
      DiscoveredDevices?.map(({ Source = '', ID = '' }) => `${Source}: ${ID}`),
    ),
    ` Swarm: ${Swarm?.LocalNodeState ?? ''}`,
  ];
}

function runtimeLines(info: DaemonInfo): readonly string[] {
  const runtimes = Object.keys(info.Runtimes ?? {}).toSorted();
  const commit = (key: string) => (info[key] as { readonly ID?: string } | undefined)?.ID ?? '';
  return [
    ...(runtimes.length === 0
      ? []
      : [` Runtimes: ${runtimes.join(' ')}`, ` Default Runtime: ${text(info, 'DefaultRuntime')}`]),
    ...(text(info, 'OSType') === 'linux'
      ? [
          ` Init Binary: ${text(info, 'InitBinary')}`,
          ` containerd version: ${commit('ContainerdCommit')}`,
          ` runc version: ${commit('RuncCommit')}`,
          ` init version: ${commit('InitCommit')}`,
          ...securityLines(info.SecurityOptions ?? []),
        ]
      : []),
  ];
}

function securityLines(options: readonly string[]): readonly string[] {
  if (options.length === 0) return [];
  const lines = [' Security Options:'];
  for (const option of options) {
    const pairs = option.split(',').map((part) => part.split('=', 2));
    const name = option.includes('=') ? (pairs.find(([key]) => key === 'name')?.[1] ?? '') : option;
    lines.push(`  ${name}`);
    for (const [key, value = ''] of pairs) if (key === 'profile') lines.push(`   Profile: ${value}`);
  }
  return lines;
}

function machineLines(info: DaemonInfo): readonly string[] {
  const debug = text(info, 'Debug') === 'true';
  return [
    ...filled(' Kernel Version:', text(info, 'KernelVersion')),
    ...filled(' Operating System:', text(info, 'OperatingSystem')),
    ...filled(' OSType:', text(info, 'OSType')),
    ...filled(' Architecture:', text(info, 'Architecture')),
    ` CPUs: ${text(info, 'NCPU')}`,
    ` Total Memory: ${binarySize(Number(text(info, 'MemTotal')))}`,
    ...filled(' Name:', text(info, 'Name')),
    ...filled(' ID:', text(info, 'ID')),
    ` Docker Root Dir: ${text(info, 'DockerRootDir')}`,
    ` Debug Mode: ${debug}`,
    ...(debug
      ? [
          `  File Descriptors: ${text(info, 'NFd')}`,
          `  Goroutines: ${text(info, 'NGoroutines')}`,
          `  System Time: ${text(info, 'SystemTime')}`,
          `  EventsListeners: ${text(info, 'NEventsListener')}`,
        ]
      : []),
    ...filled(' HTTP Proxy:', text(info, 'HttpProxy')),
    ...filled(' HTTPS Proxy:', text(info, 'HttpsProxy')),
    ...filled(' No Proxy:', text(info, 'NoProxy')),
  ];
}

function registryLines({ RegistryConfig }: DaemonInfo): readonly string[] {
  const { InsecureRegistryCIDRs, IndexConfigs, Mirrors } = RegistryConfig ?? {};
  const indexes = Object.values(IndexConfigs ?? {});
  const insecure = indexes.filter(({ Secure }) => !Secure).map(({ Name }) => Name);
  const ranges = InsecureRegistryCIDRs ?? [];
  return [
    ...(ranges.length > 0 || indexes.length > 0 ? [' Insecure Registries:'] : []),
    ...[...insecure, ...ranges].map((each) => `  ${each}`),
    ...list(' Registry Mirrors:', Mirrors),
  ];
}
