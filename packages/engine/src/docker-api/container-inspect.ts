import { join } from 'node:path';
import { shortId } from '@wharf/kit';
import type {
  ContainerConfig,
  ContainerInspectResponse,
  ContainerState as DockerState,
  EndpointSettings,
  NetworkSettings,
} from '@wharf/wire/docker/types';
import type { ApiRequest } from '@wharf/wire/http/route';
import type { ContainerRecord } from '../containers/container.ts';
import { shownLinks } from '../containers/links.ts';
import type { Engine } from '../engine.ts';
import { askedMac } from '../networks/endpoint-settings.ts';
import { DEFAULT_NETWORK, isUserDefined } from '../networks/network.ts';
import { securityModules } from '../runtime/oci-spec/host-limits.ts';
import { shownProfile } from '../runtime/oci-spec/labels.ts';
import { parseSecurityOptions } from '../runtime/oci-spec/security-options.ts';
import { completeConfig, completeHostConfig } from './container-defaults.ts';
import { manifestDescriptor } from './image-descriptor.ts';

/** `GET /containers/{id}/json`, in the shape of the request's API version. */
export async function inspectContainer(
  engine: Engine,
  request: ApiRequest,
  hostFacts: { readonly oomKillDisable: boolean },
): Promise<ContainerInspectResponse> {
  const record = engine.containers.get(request.params['id'] ?? '');
  const directory = join(engine.config.dataRoot, 'containers', record.id);
  const size = request.query.bool('size') ? await engine.containers.size(record.id) : undefined;
  const descriptor = request.atLeast(48) ? await manifestDescriptor(engine, record) : undefined;
  const execs = engine.containers.execIds(record.id);
  const started = record.state.hasBeenStarted;
  return {
    Id: record.id,
    Created: record.createdAt,
    Path: record.path,
    Args: record.args,
    State: dockerState(record),
    Image: record.imageId,
    ResolvConfPath: started ? join(directory, 'resolv.conf') : '',
    HostnamePath: started ? join(directory, 'hostname') : '',
    HostsPath: started ? join(directory, 'hosts') : '',
    LogPath: started ? engine.containers.log(record.id).path : '',
    Name: `/${record.name}`,
    RestartCount: record.state.restartCount,
    Driver: engine.snapshots.name,
    Platform: record.platform.os,
    MountLabel: '',
    ProcessLabel: '',
    AppArmorProfile: shownProfile(
      parseSecurityOptions(record.hostConfig.SecurityOpt),
      record.hostConfig.Privileged === true,
      securityModules(),
    ),
    ExecIDs: execs.length > 0 ? execs : null,
    HostConfig: completeHostConfig(
      { ...record.hostConfig, Links: shownLinks(record, (id) => engine.containers.find(id)) },
      hostFacts,
    ),
    ...(request.atLeast(52)
      ? { Storage: { RootFS: { Snapshot: { Name: engine.snapshots.name } } } }
      : { GraphDriver: { Data: null, Name: engine.snapshots.name } }),
    ...(size ? { SizeRw: size.sizeRw, SizeRootFs: size.sizeRootFs } : {}),
    Mounts: record.mounts,
    Config: completeConfig(configForVersion(record, request), { onBuild: !request.atLeast(52) }),
    NetworkSettings: networkSettings(engine, record, request),
    ...(descriptor ? { ImageManifestDescriptor: descriptor } : {}),
  };
}

/** Before 1.52 the address asked for on the main network is shown as the container's, too. */
function configForVersion({ config, hostConfig, endpoints }: ContainerRecord, request: ApiRequest): ContainerConfig {
  if (request.atLeast(52) || config.MacAddress) return config;
  const mode = hostConfig.NetworkMode || 'default';
  const main = endpoints.find(({ networkName, networkId }) =>
    mode === 'default' ? networkName === DEFAULT_NETWORK : networkName === mode || networkId === mode,
  );
  const MacAddress = main === undefined ? '' : askedMac(main.settings);
  return MacAddress === '' ? config : { ...config, MacAddress };
}

/** Docker's flags beside the one status: a paused container runs too, and so does one between two tries of its policy. */
function dockerState({ state }: ContainerRecord): DockerState {
  return {
    Status: state.status,
    Running: state.status === 'running' || state.status === 'paused' || state.status === 'restarting',
    Paused: state.status === 'paused',
    Restarting: state.status === 'restarting',
    OOMKilled: state.oomKilled,
    Dead: state.status === 'dead',
    Pid: state.pid,
    ExitCode: state.exitCode,
    Error: state.error,
    StartedAt: state.startedAt,
    FinishedAt: state.finishedAt,
    ...(state.health
      ? {
          Health: {
            Status: state.health.status,
            FailingStreak: state.health.failingStreak,
            Log: state.health.log.map(({ start, end, exitCode, output }) => ({
              Start: start,
              End: end,
              ExitCode: exitCode,
              Output: output,
            })),
          },
        }
      : {}),
  };
}

/** An endpoint with every field dockerd always writes. */
export function completeEndpoint(settings: EndpointSettings): EndpointSettings {
  return {
    IPAMConfig: settings.IPAMConfig ?? null,
    Links: settings.Links ?? null,
    Aliases: settings.Aliases ?? null,
    MacAddress: settings.MacAddress ?? '',
    DriverOpts: settings.DriverOpts ?? null,
    GwPriority: settings.GwPriority ?? 0,
    NetworkID: settings.NetworkID ?? '',
    EndpointID: settings.EndpointID ?? '',
    Gateway: settings.Gateway ?? '',
    IPAddress: settings.IPAddress ?? '',
    IPPrefixLen: settings.IPPrefixLen ?? 0,
    IPv6Gateway: settings.IPv6Gateway ?? '',
    GlobalIPv6Address: settings.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: settings.GlobalIPv6PrefixLen ?? 0,
    DNSNames: settings.DNSNames ?? null,
  };
}

function networkSettings(engine: Engine, record: ContainerRecord, request: ApiRequest): NetworkSettings {
  const networks = Object.fromEntries(
    record.endpoints.map(({ networkName, settings }) => {
      const shown = completeEndpoint(settings);
      if (request.atLeast(45) || !isUserDefined(networkName)) return [networkName, shown];
      // Before `DNSNames` came, the aliases told of these two as well.
      const own = [shortId(record.id), record.config.Hostname ?? ''].filter((name) => name !== '');
      return [networkName, { ...shown, Aliases: [...new Set([...(shown.Aliases ?? []), ...own])] }];
    }),
  );
  const up = record.state.pid !== 0 && record.hostConfig.NetworkMode !== 'host';
  const common = {
    SandboxID: up ? record.id : '',
    SandboxKey: up ? join(engine.config.execRoot, 'netns', record.id) : '',
    Ports: record.ports,
    Networks: networks,
  };
  if (request.atLeast(52)) return common;
  const first = networks['bridge'];
  return {
    Bridge: '',
    ...common,
    HairpinMode: false,
    LinkLocalIPv6Address: '',
    LinkLocalIPv6PrefixLen: 0,
    SecondaryIPAddresses: null,
    SecondaryIPv6Addresses: null,
    EndpointID: first?.EndpointID ?? '',
    Gateway: first?.Gateway ?? '',
    GlobalIPv6Address: first?.GlobalIPv6Address ?? '',
    GlobalIPv6PrefixLen: first?.GlobalIPv6PrefixLen ?? 0,
    IPAddress: first?.IPAddress ?? '',
    IPPrefixLen: first?.IPPrefixLen ?? 0,
    IPv6Gateway: first?.IPv6Gateway ?? '',
    MacAddress: first?.MacAddress ?? '',
  };
}
