import { WharfError } from '@wharf/kit';
import { EMPTY_CONFIG } from '@wharf/wire/docker/messages';
import type {
  ContainerConfig,
  ContainerUpdateRequest,
  HostConfig,
  Mount,
  NetworkingConfig,
} from '@wharf/wire/docker/types';

export interface CreateParts {
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  readonly networkingConfig: NetworkingConfig | undefined;
}

/** What a client of this version is told of its request although it is carried out. */
export function versionWarnings(config: ContainerConfig, version: Version): readonly string[] {
  return config.MacAddress && version.atLeast(44) ? [MAC_ADDRESS_DEPRECATED] : [];
}

const MAC_ADDRESS_DEPRECATED =
  'The container-wide MacAddress field is now deprecated. It should be specified in EndpointsConfig instead.';

/** A version as requests know it. */
interface Version {
  atLeast(minor: number): boolean;
}

/**
 * What a create request of an older API version means: fields that came later are ignored, defaults that changed are the
 * old ones, and what the version could not have meant is refused in Docker's words (`invalid-argument`).
 */
export function createForVersion(parts: CreateParts, version: Version, cgroupVersion: '1' | '2'): CreateParts {
  if (Object.keys(parts.config).length === 0) throw refuse(EMPTY_CONFIG);
  const mounts = (parts.hostConfig.Mounts ?? []).map((mount) => mountForVersion(mount, version));
  const hostConfig: HostConfig = {
    ...parts.hostConfig,
    ...(mounts.length > 0 ? { Mounts: mounts } : {}),
    ...(version.atLeast(25) ? {} : { AutoRemove: false }),
    ...(version.atLeast(40) || parts.hostConfig.IpcMode ? {} : { IpcMode: 'shareable' }),
    ...(version.atLeast(41) || parts.hostConfig.CgroupnsMode || cgroupVersion === '2' ? {} : { CgroupnsMode: 'host' }),
    ...(version.atLeast(42) ? {} : { ConsoleSize: [0, 0] }),
    ...(version.atLeast(43) ? {} : { Annotations: null }),
  };
  const endpoints = Object.keys(parts.networkingConfig?.EndpointsConfig ?? {});
  if (!version.atLeast(44) && endpoints.length > 1) {
    throw refuse(`Container cannot be created with multiple network endpoints: ${endpoints.join(', ')}`);
  }
  return {
    config: configForVersion(parts.config, version),
    hostConfig,
    networkingConfig: withMac({ ...parts, networkingConfig: networksForVersion(parts, version) }, hostConfig, version),
  };
}

const refuse = (message: string) => new WharfError('invalid-argument', message);

function mountForVersion(mount: Mount, version: Version): Mount {
  const { Type: type = '', BindOptions: bind, VolumeOptions: volume, TmpfsOptions: tmpfs } = mount;
  if (type === 'image' && !version.atLeast(48)) throw refuse('Mount type "Image" needs API v1.48 or newer');
  if (volume?.Subpath && !version.atLeast(45)) throw refuse('VolumeOptions.Subpath needs API v1.45 or newer');
  if (bind?.ReadOnlyForceRecursive === true && !version.atLeast(44)) {
    throw refuse('BindOptions.ReadOnlyForceRecursive needs API v1.44 or newer');
  }
  if (version.atLeast(42)) {
    const misplaced =
      (volume && type !== 'volume' && 'VolumeOptions') ||
      (bind && type !== 'bind' && 'BindOptions') ||
      (tmpfs && type !== 'tmpfs' && 'TmpfsOptions');
    if (misplaced) throw refuse(`${misplaced} must not be specified on mount type "${type}"`);
  }
  return {
    ...mount,
    ...(bind ? { BindOptions: bindForVersion(bind, version) } : {}),
    ...(volume && type !== 'volume' ? { VolumeOptions: undefined } : {}),
    ...(tmpfs && type !== 'tmpfs' ? { TmpfsOptions: undefined } : {}),
  };
}

function bindForVersion(bind: NonNullable<Mount['BindOptions']>, version: Version): NonNullable<Mount['BindOptions']> {
  return {
    ...bind,
    ...(version.atLeast(40) ? {} : { NonRecursive: false }),
    ...(version.atLeast(42) ? {} : { CreateMountpoint: false }),
    // Read-only was never recursive before: `shallowReadOnly` of the create says so for every bind.
    ...(version.atLeast(44) ? {} : { ReadOnlyNonRecursive: false }),
  };
}

function configForVersion(config: ContainerConfig, version: Version): ContainerConfig {
  if (version.atLeast(44) || !config.Healthcheck) return config;
  return { ...config, Healthcheck: { ...config.Healthcheck, StartInterval: 0 } };
}

/** Endpoints have had MAC addresses of their own since 1.44. */
function networksForVersion({ networkingConfig }: CreateParts, version: Version): NetworkingConfig | undefined {
  const endpoints = networkingConfig?.EndpointsConfig;
  if (version.atLeast(44) || !endpoints) return networkingConfig;
  const without = Object.entries(endpoints).map(([name, settings]) => {
    const { MacAddress: _, ...others } = settings ?? {};
    return [name, others] as const;
  });
  return { ...networkingConfig, EndpointsConfig: Object.fromEntries(without) };
}

/** Before 1.44 the MAC address was the container's; it becomes its main network's. */
function withMac(parts: CreateParts, host: HostConfig, version: Version): NetworkingConfig | undefined {
  const mac = parts.config.MacAddress;
  if (!mac) return parts.networkingConfig;
  if (version.atLeast(52)) {
    throw refuse('container-wide MAC address no longer supported; use endpoint-specific MAC address instead');
  }
  const mode = host.NetworkMode || 'default';
  if (mode === 'host' || mode === 'none' || mode.startsWith('container:')) {
    if (version.atLeast(44)) return parts.networkingConfig;
    throw refuse('conflicting options: mac-address and the network mode');
  }
  const network = mode === 'default' ? 'bridge' : mode;
  const endpoints = parts.networkingConfig?.EndpointsConfig ?? {};
  const own = endpoints[network];
  if (version.atLeast(44) && own?.MacAddress && own.MacAddress !== mac) {
    throw refuse(
      'the container-wide MAC address must match the endpoint-specific MAC address for the main network, or be left empty',
    );
  }
  return { ...parts.networkingConfig, EndpointsConfig: { ...endpoints, [network]: { ...own, MacAddress: mac } } };
}

/** An update of an older version: fields that came later are ignored. */
export function updateForVersion(update: ContainerUpdateRequest, version: Version): ContainerUpdateRequest {
  if (version.atLeast(40)) return update;
  const { PidsLimit: _, ...others } = update;
  return others;
}
