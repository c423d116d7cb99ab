import type { IdRange } from '@wharf/linux/user-namespace';
import type { HostConfig, Ulimit } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../../containers/container.ts';
import type { WallDefaults } from '../../engine-config.ts';
import type { NetworkFiles } from '../../networks/network-service.ts';
import { injectDevices } from '../cdi/inject.ts';
import { customSeccompProfile } from '../seccomp/custom-profile.ts';
import { defaultSeccompProfile, type SeccompProfile } from '../seccomp/default-profile.ts';
import { capabilitySets, chosenCapabilities } from './capabilities.ts';
import { ALL_DEVICES_RULE, DEFAULT_DEVICE_RULES, hostDevices, mappedDevices, parseDeviceRule } from './devices.ts';
import { containerEnvironment, withHome } from './environment.ts';
import { mountLabel, processLabels, type SecurityModules } from './labels.ts';
import { containerMounts } from './mounts.ts';
import { resourceLimits } from './resources.ts';
import { type HostRlimits, INFINITY_LIMIT, rlimits } from './rlimits.ts';
import { parseSecurityOptions } from './security-options.ts';
import type { Spec, SpecDevice, SpecDeviceRule, SpecLinux, SpecMount, SpecNamespace, SpecProcess } from './spec.ts';
import { checkSysctls } from './sysctls.ts';
import type { ResolvedUser } from './users.ts';

/** What the host allows; read once. */
export interface HostLimits {
  readonly bounding: ReadonlySet<string>;
  readonly rlimits: HostRlimits;
  readonly architecture: string;
  readonly kernelRelease: string;
  readonly securityModules: SecurityModules;
  /** What the daemon puts around containers that say nothing. */
  readonly walls: WallDefaults;
}

/** A namespace to share: a path to join, `host` for the daemon's own, `private` for a new one. */
export type NamespaceChoice = 'private' | 'host' | { readonly path: string };

export interface SpecInputs {
  readonly record: ContainerRecord;
  readonly host: HostLimits;
  readonly user: ResolvedUser;
  readonly namespaces: {
    readonly pid: NamespaceChoice;
    readonly ipc: NamespaceChoice;
    readonly uts: NamespaceChoice;
    readonly cgroup: NamespaceChoice;
    readonly network: NamespaceChoice;
    readonly user: NamespaceChoice;
  };
  readonly networkFiles: NetworkFiles | undefined;
  readonly volumes: readonly SpecMount[];
  readonly shmPath: string | undefined;
  readonly shmSizeBytes: number;
  /** The init program on the host, when the container asks for one. */
  readonly initPath: string | undefined;
  readonly cgroupsPath: string;
  /** Where CDI devices are specified; none when absent. */
  readonly cdiSpecDirs?: readonly string[];
  readonly defaultUlimits: readonly Ulimit[];
}

const INIT_IN_CONTAINER = '/sbin/docker-init';

/** The OCI specification of a container. Pure but for looking up devices. Throws `invalid-argument`. */
export function buildSpec(inputs: SpecInputs): Spec {
  const { record } = inputs;
  const { config, hostConfig } = record;
  const privileged = hostConfig.Privileged === true;
  const init = inputs.initPath === undefined ? undefined : { hostPath: inputs.initPath, path: INIT_IN_CONTAINER };
  const security = parseSecurityOptions(hostConfig.SecurityOpt);
  const ownUts = inputs.namespaces.uts === 'private';
  const chosen = capabilitiesOf(hostConfig);
  const seccomp = seccompOf(security.seccomp, privileged, chosen, inputs.host);
  const { devices, rules } = devicesOf(hostConfig);
  const annotations = hostConfig.Annotations ?? {};
  const spec: Spec = {
    ociVersion: '1.0.2',
    process: processOf(inputs, init?.path),
    root: { path: 'rootfs', readonly: hostConfig.ReadonlyRootfs === true },
    ...(ownUts ? { hostname: config.Hostname ?? '' } : {}),
    mounts: containerMounts({
      privileged,
      writableCgroups: security.writableCgroups,
      withoutShm: hostConfig.IpcMode === 'none',
      readOnlyRoot: hostConfig.ReadonlyRootfs === true,
      networkFiles: inputs.networkFiles,
      volumes: inputs.volumes,
      shmPath: inputs.shmPath,
      shmSizeBytes: inputs.shmSizeBytes,
      init,
    }),
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    linux: {
      namespaces: namespacesOf(inputs),
      ...mappingsOf(record),
      ...(privileged ? {} : mountLabel(security, inputs.host.securityModules)),
      cgroupsPath: inputs.cgroupsPath,
      resources: { devices: rules, ...resourceLimits(hostConfig) },
      devices,
      ...sysctlsOf(inputs),
      maskedPaths: privileged ? [] : (hostConfig.MaskedPaths ?? []),
      readonlyPaths: privileged ? [] : (hostConfig.ReadonlyPaths ?? []),
      ...propagationOf(inputs.volumes),
      ...(seccomp ? { seccomp } : {}),
    },
  };
  return injectDevices(spec, hostConfig.DeviceRequests ?? [], inputs.cdiSpecDirs ?? []);
}

/** The process of an exec: the container's own with another command. */
export function buildExecProcess(options: {
  readonly host: HostLimits;
  readonly record: ContainerRecord;
  readonly user: ResolvedUser;
  readonly command: readonly string[];
  readonly environment: readonly string[];
  readonly workingDirectory: string;
  readonly terminal: boolean;
  readonly privileged: boolean;
  readonly consoleSize: { readonly height: number; readonly width: number } | undefined;
  readonly defaultUlimits: readonly Ulimit[];
}): SpecProcess {
  const { hostConfig } = options.record;
  const chosen = options.privileged
    ? chosenCapabilities({ add: [], drop: [], privileged: true })
    : capabilitiesOf(hostConfig);
  const limits = rlimits(hostConfig.Ulimits ?? [], options.defaultUlimits, options.host.rlimits);
  const { uid, gid, additionalGids, home } = options.user;
  const security = parseSecurityOptions(hostConfig.SecurityOpt);
  return {
    terminal: options.terminal,
    ...(options.terminal && options.consoleSize ? { consoleSize: options.consoleSize } : {}),
    user: { uid, gid, additionalGids },
    args: options.command,
    env: withHome(options.environment, home),
    cwd: options.workingDirectory || '/',
    capabilities: capabilitySets(chosen, { uid, bounding: options.host.bounding }),
    ...(limits.length > 0 ? { rlimits: limits } : {}),
    noNewPrivileges: security.noNewPrivileges ?? options.host.walls.noNewPrivileges,
    ...(options.privileged ? {} : processLabels(security, options.host.securityModules)),
  };
}

/** The environment every process of the container starts from. */
export function environmentOf(record: ContainerRecord, terminal = record.config.Tty === true): readonly string[] {
  return containerEnvironment({
    configured: record.config.Env ?? [],
    linked: record.linkEnvironment ?? [],
    hostname: record.config.Hostname ?? '',
    terminal,
  });
}

/** JSON for the runtime. Unlimited is a number no double holds, so it is written as such. */
export function stringifySpec(spec: Spec | SpecProcess): string {
  return JSON.stringify(spec, (_key, value: unknown) => (value === INFINITY_LIMIT ? rawInfinity : value));
}

// JSON.rawJSON is in V8 since 11.4 and not yet in the compiler's library.
const rawInfinity: unknown = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('18446744073709551615');

function processOf(inputs: SpecInputs, init: string | undefined): SpecProcess {
  const { record } = inputs;
  const command = [record.path, ...record.args];
  const size = record.hostConfig.ConsoleSize;
  const [height = 0, width = 0] = size ?? [];
  const adjust = record.hostConfig.OomScoreAdj ?? 0;
  return {
    ...buildExecProcess({
      host: inputs.host,
      record,
      user: inputs.user,
      command: init === undefined ? command : [init, '--', ...command],
      environment: environmentOf(record),
      workingDirectory: record.config.WorkingDir ?? '',
      terminal: record.config.Tty === true,
      privileged: record.hostConfig.Privileged === true,
      consoleSize: height > 0 && width > 0 ? { height, width } : undefined,
      defaultUlimits: inputs.defaultUlimits,
    }),
    // Absent leaves what the monitor set, which is 0; writing a lower value than our own needs CAP_SYS_RESOURCE.
    ...(adjust === 0 ? {} : { oomScoreAdj: adjust }),
  };
}

function capabilitiesOf(hostConfig: HostConfig): readonly string[] {
  return chosenCapabilities({
    add: hostConfig.CapAdd ?? [],
    drop: hostConfig.CapDrop ?? [],
    privileged: hostConfig.Privileged === true,
  });
}

/** The mapping of the user namespace to join, which runc wants told although it is made already. */
function mappingsOf({ userNamespace }: ContainerRecord): Pick<SpecLinux, 'uidMappings' | 'gidMappings'> {
  if (userNamespace === undefined) return {};
  const inSpec = ({ inside, outside, count }: IdRange) => ({ containerID: inside, hostID: outside, size: count });
  return { uidMappings: userNamespace.uids.map(inSpec), gidMappings: userNamespace.gids.map(inSpec) };
}

function namespacesOf({ namespaces }: SpecInputs): readonly SpecNamespace[] {
  const list: SpecNamespace[] = [{ type: 'mount' }];
  for (const type of ['user', 'pid', 'ipc', 'uts', 'cgroup', 'network'] as const) {
    const choice = namespaces[type];
    if (choice === 'host') continue;
    list.push(choice === 'private' ? { type } : { type, path: choice.path });
  }
  return list;
}

function sysctlsOf(inputs: SpecInputs): { readonly sysctl?: Readonly<Record<string, string>> } {
  const asked = inputs.record.hostConfig.Sysctls ?? {};
  const sysctl: Record<string, string> = {};
  const ownNetwork = inputs.namespaces.network !== 'host';
  // Docker's friendliness to unprivileged servers and ping, in a network namespace of the container's own only.
  if (ownNetwork && inputs.record.hostConfig.Privileged !== true) {
    sysctl['net.ipv4.ip_unprivileged_port_start'] = '0';
    // The kernel takes only groups that the namespace has.
    const groups = inputs.record.userNamespace?.gids.reduce((sum, { count }) => sum + count, 0);
    sysctl['net.ipv4.ping_group_range'] = `0 ${groups === undefined ? 2_147_483_647 : groups - 1}`;
  }
  const { ipc, uts } = inputs.namespaces;
  checkSysctls(asked, { network: ownNetwork, ipc: ipc !== 'host', uts: uts !== 'host' });
  Object.assign(sysctl, asked);
  if (inputs.record.config.Domainname) sysctl['kernel.domainname'] ??= inputs.record.config.Domainname;
  return Object.keys(sysctl).length > 0 ? { sysctl } : {};
}

function devicesOf(hostConfig: HostConfig): {
  readonly devices: readonly SpecDevice[];
  readonly rules: readonly SpecDeviceRule[];
} {
  const mapped = mappedDevices(hostConfig.Devices ?? []);
  if (hostConfig.Privileged === true) {
    const inside = new Set(mapped.devices.map(({ path }) => path));
    return {
      devices: [...hostDevices().filter(({ path }) => !inside.has(path)), ...mapped.devices],
      rules: [ALL_DEVICES_RULE],
    };
  }
  const extra = (hostConfig.DeviceCgroupRules ?? []).map(parseDeviceRule);
  return { devices: mapped.devices, rules: [...DEFAULT_DEVICE_RULES, ...mapped.rules, ...extra] };
}

/** `--privileged` does away with the daemon's default filter, not with one the user asked for. */
function seccompOf(
  option: string,
  privileged: boolean,
  capabilities: readonly string[],
  { architecture, kernelRelease, walls }: HostLimits,
): SeccompProfile | undefined {
  if (privileged && (option === '' || option === 'builtin')) return undefined;
  const profile = option === '' ? walls.seccompProfile : option;
  if (profile === 'unconfined') return undefined;
  const facts = { capabilities, architecture, kernelRelease };
  return profile === 'builtin' ? defaultSeccompProfile(facts) : customSeccompProfile(profile, facts);
}

/** A shared or slave volume needs a root that lets mounts through (mount_namespaces(7)). */
function propagationOf(volumes: readonly SpecMount[]): { readonly rootfsPropagation?: string } {
  const has = (...names: string[]) => volumes.some(({ options }) => names.some((name) => options.includes(name)));
  if (has('rshared', 'shared')) return { rootfsPropagation: 'shared' };
  if (has('rslave', 'slave')) return { rootfsPropagation: 'slave' };
  return {};
}
