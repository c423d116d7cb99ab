import { hostname } from 'node:os';
import { shortId, WharfError } from '@wharf/kit';
import type { ImageConfig } from '@wharf/oci/spec/image';
import { NO_COMMAND } from '@wharf/wire/docker/messages';
import type { ContainerConfig, HostConfig, NetworkingConfig } from '@wharf/wire/docker/types';
import type { EngineConfig } from '../engine-config.ts';
import { mergeHealthcheck } from '../health/health-config.ts';
import { normalizeCapabilities } from '../runtime/oci-spec/capabilities.ts';
import { DEFAULT_MASKED_PATHS, DEFAULT_READONLY_PATHS } from '../runtime/oci-spec/paths.ts';

/** A container's configuration with the image's where it says nothing (runconfig's `merge`). Throws `invalid-argument` without a command. */
export function mergeImageConfig(own: ContainerConfig, image: ImageConfig['config'] | undefined): ContainerConfig {
  const base = image ?? {};
  const entrypointGiven = own.Entrypoint !== undefined && own.Entrypoint !== null;
  // An entrypoint of one's own takes the image's command away; an empty one resets it.
  const inheritsCommand = !entrypointGiven && (own.Cmd ?? []).length === 0;
  const entrypoint = entrypointGiven ? (own.Entrypoint ?? []) : (base.Entrypoint ?? []);
  const command = inheritsCommand ? (base.Cmd ?? []) : (own.Cmd ?? []);
  const cleared = entrypoint.length === 1 && entrypoint[0] === '' ? [] : entrypoint;
  if (cleared.length === 0 && command.length === 0) throw new WharfError('invalid-argument', NO_COMMAND);
  const healthcheck = mergeHealthcheck(own.Healthcheck, base.Healthcheck);
  const ownNames = new Set((own.Env ?? []).map(nameOf));
  const inherited = (base.Env ?? []).filter((entry) => !ownNames.has(nameOf(entry)));
  return {
    ...own,
    User: own.User || base.User || '',
    Env: [...(own.Env ?? []), ...inherited],
    Cmd: command.length > 0 ? command : null,
    Entrypoint: cleared.length > 0 ? cleared : null,
    WorkingDir: own.WorkingDir || base.WorkingDir || '',
    Labels: { ...base.Labels, ...own.Labels },
    ...both('ExposedPorts', { ...base.ExposedPorts, ...own.ExposedPorts }),
    ...both('Volumes', { ...base.Volumes, ...own.Volumes }),
    ...(healthcheck ? { Healthcheck: healthcheck } : {}),
    ...(own.StopSignal || base.StopSignal ? { StopSignal: own.StopSignal || base.StopSignal } : {}),
    ...stopTimeout(own, base),
    ...((own.Shell ?? base.Shell) ? { Shell: own.Shell ?? base.Shell } : {}),
  };
}

function nameOf(entry: string): string {
  return entry.split('=', 1)[0] ?? entry;
}

function both<K extends string, V extends object>(key: K, value: V): Partial<Record<K, V>> {
  return Object.keys(value).length > 0 ? ({ [key]: value } as Record<K, V>) : {};
}

function stopTimeout(own: ContainerConfig, base: { readonly StopTimeout?: number }): ContainerConfig {
  const timeout = own.StopTimeout ?? base.StopTimeout;
  return timeout === undefined ? {} : { StopTimeout: timeout };
}

/** The program and its arguments. */
export function commandOf(config: ContainerConfig): { readonly path: string; readonly args: readonly string[] } {
  const [path = '', ...args] = [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])];
  return { path, args };
}

/** The host's name where the container shares it, the short id where none is given. */
export function withHostname(config: ContainerConfig, host: HostConfig, id: string): ContainerConfig {
  if (host.UTSMode === 'host') return { ...config, Hostname: hostname() };
  if (config.Hostname) return config;
  return { ...config, Hostname: host.NetworkMode === 'host' ? hostname() : shortId(id) };
}

export interface HostDefaults {
  readonly config: EngineConfig;
  readonly defaultRuntime: string;
  readonly cgroupVersion: '1' | '2';
}

/** Fills in what the daemon decides where the client left it open; the result is what `inspect` shows. */
export function withHostDefaults(given: HostConfig, defaults: HostDefaults): HostConfig {
  const privileged = given.Privileged === true;
  const pids = given.PidsLimit ?? undefined;
  const memory = given.Memory ?? 0;
  return {
    ...given,
    NetworkMode:
      given.NetworkMode === undefined || given.NetworkMode === '' || given.NetworkMode === 'default'
        ? 'bridge'
        : given.NetworkMode,
    RestartPolicy: {
      Name: given.RestartPolicy?.Name || 'no',
      MaximumRetryCount: given.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    LogConfig: logConfig(given, defaults.config),
    IpcMode: given.IpcMode || (defaults.config.walls.ipcMode ?? 'private'),
    CgroupnsMode:
      given.CgroupnsMode ||
      (privileged
        ? 'host'
        : (defaults.config.walls.cgroupnsMode ?? (defaults.cgroupVersion === '2' ? 'private' : 'host'))),
    ShmSize: given.ShmSize || defaults.config.defaultShmSizeBytes,
    Runtime: given.Runtime || defaults.defaultRuntime,
    CapAdd: orNull(normalizeCapabilities(given.CapAdd, 'invalid CapAdd')),
    CapDrop: orNull(normalizeCapabilities(given.CapDrop, 'invalid CapDrop')),
    ...(memory > 0 && (given.MemorySwap ?? 0) === 0 ? { MemorySwap: memory * 2 } : {}),
    ...(pids !== undefined && pids <= 0 ? { PidsLimit: null } : {}),
    ...(given.CpuShares ? { CpuShares: Math.min(Math.max(given.CpuShares, 2), 262_144) } : {}),
    ...(given.Init === undefined || given.Init === null ? (defaults.config.init ? { Init: true } : {}) : {}),
    ...(privileged
      ? {}
      : {
          MaskedPaths: given.MaskedPaths ?? DEFAULT_MASKED_PATHS,
          ReadonlyPaths: given.ReadonlyPaths ?? DEFAULT_READONLY_PATHS,
        }),
  };
}

/** The daemon's log options count only where the container uses the daemon's driver. */
function logConfig(
  given: HostConfig,
  config: EngineConfig,
): { Type: string; Config: Readonly<Record<string, string>> } {
  const type = given.LogConfig?.Type || config.logDriver;
  const own = given.LogConfig?.Config ?? {};
  return { Type: type, Config: type === config.logDriver ? { ...config.logOptions, ...own } : own };
}

function orNull(list: readonly string[]): readonly string[] | null {
  return list.length > 0 ? list : null;
}

/** A client may name the default network `default` among the endpoints too. */
export function withDefaultNetwork(given: NetworkingConfig | undefined, mode: string): NetworkingConfig | undefined {
  const endpoints = given?.EndpointsConfig;
  if (!endpoints || !Object.hasOwn(endpoints, 'default') || mode === 'default') return given;
  const { default: settings, ...others } = endpoints;
  return { ...given, EndpointsConfig: { ...others, [mode]: others[mode] ?? settings ?? {} } };
}
