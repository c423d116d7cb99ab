import { WharfError } from '@wharf/kit';
import type { EndpointSettings, NetworkingConfig } from '@wharf/wire/docker/types';
import type { Project } from '../model/project.ts';
import type { Service } from '../model/service.ts';
import { isBefore } from './versions.ts';

export interface NetworkingFacts {
  readonly project: Project;
  readonly name: string;
  readonly service: Service;
  /** The container's final name; an alias in each network. */
  readonly containerName: string;
  readonly links: readonly string[];
  /** The service's name and aliases are the container's too. False for `compose run`. */
  readonly useAliases: boolean;
  readonly apiVersion: string;
}

export interface Networking {
  readonly networkMode: string;
  readonly config: NetworkingConfig | undefined;
  /** Networks to connect one by one after the creation: daemons before API 1.44 take one at creation. */
  readonly connect: readonly { readonly network: string; readonly endpoint: EndpointSettings }[];
  /** Daemons before API 1.44 keep the address with the container. */
  readonly macAddress: string | undefined;
}

const INTERFACE_NAME = 'com.docker.network.endpoint.ifname';

/** The networks of a container, the one of the highest priority first. */
export function networking(facts: NetworkingFacts): Networking {
  const { project, service, apiVersion } = facts;
  const keys = networksByPriority(service);
  const old = isBefore(apiVersion, '1.44');
  const macAddress = containerMac(service, keys, old);
  if (service.network_mode !== undefined && service.network_mode !== '') {
    return { networkMode: service.network_mode, config: undefined, connect: [], macAddress };
  }
  if (Object.keys(project.networks).length === 0) {
    return { networkMode: 'none', config: undefined, connect: [], macAddress };
  }
  const settings = Object.values(service.networks ?? {});
  if (isBefore(apiVersion, '1.49') && settings.some((one) => one?.interface_name !== undefined)) {
    throw new WharfError('invalid-argument', 'interface_name requires Docker Engine v28.1 or later');
  }
  const [primary = 'default', ...others] = keys;
  const nameOf = (key: string): string => project.networks[key]?.name ?? key;
  const first = endpoint(facts, primary);
  const mac = first.MacAddress || (old ? '' : (service.mac_address ?? ''));
  const all = others.map((key) => ({ network: nameOf(key), endpoint: endpoint(facts, key) }));
  return {
    networkMode: nameOf(primary),
    config: {
      EndpointsConfig: {
        ...(old ? {} : Object.fromEntries(all.map((one) => [one.network, one.endpoint]))),
        [nameOf(primary)]: { ...first, MacAddress: mac },
      },
    },
    connect: old ? all : [],
    macAddress,
  };
}

/** Keys of the service's networks: the highest `priority` first, then by name. */
export function networksByPriority(service: Pick<Service, 'networks'>): readonly string[] {
  const priority = (key: string): number => service.networks?.[key]?.priority ?? 0;
  return Object.keys(service.networks ?? {}).toSorted((a, b) => priority(b) - priority(a) || (a < b ? -1 : 1));
}

function containerMac(service: Service, keys: readonly string[], old: boolean): string | undefined {
  const [main = ''] = keys;
  const own = service.mac_address;
  const mainMac = service.networks?.[main]?.mac_address;
  if (own !== undefined && mainMac !== undefined && own !== mainMac) {
    throw new WharfError(
      'invalid-argument',
      `the service-level mac_address should have the same value as network ${main}`,
    );
  }
  if (!old) return undefined;
  const withMac = keys.filter((key) => service.networks?.[key]?.mac_address !== undefined);
  if (withMac.length > 1) {
    throw new WharfError(
      'invalid-argument',
      `a MAC address is specified for multiple networks (${withMac.join(', ')}), but this feature requires Docker Engine v25 or later`,
    );
  }
  return mainMac ?? own;
}

function endpoint(facts: NetworkingFacts, key: string): EndpointSettings {
  const { name, service, containerName, links, useAliases } = facts;
  const config = service.networks?.[key] ?? undefined;
  const own = useAliases ? [name, ...(config?.aliases ?? [])] : [];
  const aliases = { Aliases: [containerName, ...own], Links: links.length > 0 ? links : null };
  if (config === undefined) return aliases;
  const { interface_name: interfaceName, driver_opts: options } = config;
  const DriverOpts = interfaceName === undefined ? options : { ...options, [INTERFACE_NAME]: interfaceName };
  return {
    ...aliases,
    IPAddress: config.ipv4_address,
    IPv6Gateway: config.ipv6_address,
    IPAMConfig: {
      IPv4Address: config.ipv4_address,
      IPv6Address: config.ipv6_address,
      LinkLocalIPs: config.link_local_ips,
    },
    MacAddress: config.mac_address,
    DriverOpts,
    GwPriority: config.gw_priority,
  };
}

/** Links to containers of other services, in each of the ways they may be called. */
export function links(
  facts: { readonly project: string; readonly service: Service; readonly number: number },
  /** Names of the containers there are of a service. */
  namesOf: (service: string) => readonly string[],
): readonly string[] {
  const { project, service, number } = facts;
  const own = (service.links ?? []).flatMap((link) => {
    const [target = '', alias = target] = link.split(':');
    return namesOf(target).flatMap((container) => [
      `${container}:${alias}`,
      `${container}:${target}-${number}`,
      `${container}:${project}-${target}-${number}`,
    ]);
  });
  const external = (service.external_links ?? []).map((link) => {
    const [target = '', alias = target] = link.split(':');
    return `${target}:${alias}`;
  });
  return [...own, ...external];
}
