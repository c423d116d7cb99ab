import { isKind, newId, WharfError } from '@wharf/kit';
import { addressInUse, networkGone, TEMPLATE_HAS_NO_ENDPOINTS } from '@wharf/wire/docker/messages';
import type { EndpointSettings } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import { ENDPOINT_OPTION, isLinkName } from './driver-options.ts';
import { askedFor, checkEndpointSettings, dnsNamesOf } from './endpoint-settings.ts';
import { disablesIPv6, endpointSysctls } from './endpoint-sysctls.ts';
import { type LiveContainer, type LiveContainers, nextInterface } from './live-containers.ts';
import { isUserDefined, type LiveEndpoint, macOf, type NetworkRecord } from './network.ts';
import type { NetworkBooks } from './network-books.ts';
import { parseAddress } from './subnet.ts';

const NO_LEASE = { address: '', prefixLength: 0, gateway: '' };

/** Makes the endpoints of containers in the books: their addresses, names and links' names. The kernel knows nothing of them yet. */
export class Endpoints {
  readonly #books: NetworkBooks;
  readonly #live: LiveContainers;
  readonly #containers: () => Iterable<ContainerRecord>;

  /** `containers` are all there are, running or not: what they ask for is kept for them. */
  constructor(books: NetworkBooks, live: LiveContainers, containers: () => Iterable<ContainerRecord>) {
    this.#books = books;
    this.#live = live;
    this.#containers = containers;
  }

  /** Adds an endpoint to a container; `taken` are names of links that it has. Throws in Docker's words. */
  add(
    live: LiveContainer,
    asked: { readonly network: string; readonly id: string; readonly settings: EndpointSettings },
    taken: readonly string[] = [],
  ): LiveEndpoint {
    const network = this.#networkOf(asked.network, asked.id);
    if (network.configOnly === true) throw new WharfError('permission-denied', TEMPLATE_HAS_NO_ENDPOINTS);
    const { record } = live;
    const settings = askedFor(asked.settings);
    const hasLink = network.bridge !== undefined || network.parent !== undefined;
    if (hasLink) checkEndpointSettings(network, settings);
    const sysctls = endpointSysctls(settings.DriverOpts?.[ENDPOINT_OPTION.sysctls]);
    const lease4 = hasLink ? this.#take(live, network, 4, settings.IPAMConfig?.IPv4Address) : NO_LEASE;
    let lease6 = NO_LEASE;
    try {
      if (hasLink && !disablesIPv6(sysctls)) lease6 = this.#take(live, network, 6, settings.IPAMConfig?.IPv6Address);
    } catch (error) {
      this.#books.addresses(network).release(lease4.address);
      throw error;
    }
    const firstMac = live.endpoints.length === 0 ? record.config.MacAddress : undefined;
    const mac = settings.MacAddress || firstMac || macOf(lease4.address || lease6.address || '0.0.0.0');
    const endpoint: LiveEndpoint = {
      endpointId: newId<'endpoint'>(),
      network,
      containerId: record.id,
      containerName: record.name,
      ifname: hasLink ? ifnameOf(network, live, taken, settings) : '',
      address: lease4.address,
      prefixLength: lease4.prefixLength,
      gateway: lease4.gateway,
      address6: lease6.address,
      prefixLength6: lease6.prefixLength,
      gateway6: lease6.gateway,
      mac: hasLink && network.driver !== 'ipvlan' ? mac.replaceAll('-', ':').toLowerCase() : '',
      gatewayPriority: settings.GwPriority ?? 0,
      sysctls,
      linkLocal: (settings.IPAMConfig?.LinkLocalIPs ?? []).map(linkLocalPrefix),
      dnsNames: dnsNamesOf(record, settings.Aliases ?? []),
      links: settings.Links ?? [],
    };
    live.endpoints = [...live.endpoints, endpoint];
    return endpoint;
  }

  /** The endpoint of a running container as its record has it. */
  adopt(live: LiveContainer, network: NetworkRecord, settings: EndpointSettings): LiveEndpoint {
    const addresses = this.#books.addresses(network);
    const address = settings.IPAddress ?? '';
    const address6 = settings.GlobalIPv6Address ?? '';
    addresses.adopt(address);
    addresses.adopt(address6);
    const hasLink = network.bridge !== undefined || network.parent !== undefined;
    return {
      endpointId: settings.EndpointID ?? '',
      network,
      containerId: live.id,
      containerName: live.record.name,
      ifname: hasLink ? ifnameOf(network, live, [], settings) : '',
      address,
      prefixLength: settings.IPPrefixLen ?? 0,
      gateway: addresses.leaseOf(address)?.gateway ?? '',
      address6,
      prefixLength6: settings.GlobalIPv6PrefixLen ?? 0,
      gateway6: addresses.leaseOf(address6)?.gateway ?? '',
      mac: settings.MacAddress ?? '',
      gatewayPriority: settings.GwPriority ?? 0,
      sysctls: endpointSysctls(settings.DriverOpts?.[ENDPOINT_OPTION.sysctls]),
      linkLocal: (settings.IPAMConfig?.LinkLocalIPs ?? []).map(linkLocalPrefix),
      dnsNames: dnsNamesOf(live.record, settings.Aliases ?? []),
      links: settings.Links ?? [],
    };
  }

  /** Gives an endpoint's addresses back. */
  release(endpoint: LiveEndpoint): void {
    // The network may be gone already.
    if (!this.#books.find(endpoint.network.id)) return;
    const addresses = this.#books.addresses(endpoint.network);
    for (const address of [endpoint.address, endpoint.address6]) if (address !== '') addresses.release(address);
  }

  /** The network meant at create; when it was removed, the one that has its name now. */
  #networkOf(name: string, id: string): NetworkRecord {
    try {
      return this.#books.find(id) ?? this.#books.resolve(name);
    } catch (error) {
      if (!isKind(error, 'not-found')) throw error;
      throw new WharfError('not-found', networkGone(name), { cause: error });
    }
  }

  #take(live: LiveContainer, network: NetworkRecord, family: 4 | 6, asked: string | undefined): typeof NO_LEASE {
    const addresses = this.#books.addresses(network);
    if (!asked) return addresses.take(family, '', this.#promised(live.id, network)) ?? NO_LEASE;
    try {
      return addresses.take(family, asked) ?? NO_LEASE;
    } catch (error) {
      if (!isKind(error, 'permission-denied')) throw error;
      throw new WharfError('permission-denied', addressInUse(asked, this.#holderOf(network, asked)), { cause: error });
    }
  }

  /** Who has an address that is in use, in words. */
  #holderOf(network: NetworkRecord, text: string): string {
    const value = parseAddress(text)?.value;
    const isIt = (other: string | undefined): boolean => parseAddress(other ?? '')?.value === value;
    const holder = this.#live.endpointsOf(network.id).find(({ address, address6 }) => isIt(address) || isIt(address6));
    if (holder) return `container "${holder.containerName}"`;
    if (isIt(network.parent?.hostAddress)) return 'this host';
    const pools = [...network.ipv4, ...network.ipv6];
    if (pools.some(({ gateway }) => isIt(gateway))) return 'the gateway';
    if (pools.some(({ reserved }) => reserved.some(isIt))) return 'an auxiliary address';
    return 'the network itself';
  }

  /** Addresses that other containers ask for, up or not: nobody gets one of them by chance. */
  #promised(containerId: string, network: NetworkRecord): Set<bigint> {
    const promised = new Set<bigint>();
    if (!isUserDefined(network.name)) return promised;
    for (const { id, endpoints } of this.#containers()) {
      if (id === containerId) continue;
      for (const { networkId, networkName, settings } of endpoints) {
        const config = settings.IPAMConfig;
        if (!config || (networkId !== network.id && networkName !== network.name)) continue;
        for (const text of [config.IPv4Address, config.IPv6Address]) {
          const address = text ? parseAddress(text) : undefined;
          if (address) promised.add(address.value);
        }
      }
    }
    return promised;
  }
}

const linkLocalPrefix = (text: string): string =>
  text.includes('/') ? text : `${text}/${text.includes(':') ? 64 : 16}`;

function ifnameOf(
  network: NetworkRecord,
  live: LiveContainer,
  taken: readonly string[],
  settings: EndpointSettings,
): string {
  const wanted = settings.DriverOpts?.[ENDPOINT_OPTION.ifname];
  if (wanted !== undefined && isLinkName(wanted)) {
    if (taken.includes(wanted) || live.endpoints.some(({ ifname }) => ifname === wanted)) {
      throw new WharfError('internal', `failed to set link name: an interface "${wanted}" is in the container already`);
    }
    return wanted;
  }
  const prefix = (network.bridge ?? network.parent)?.ifnamePrefix ?? 'eth';
  return nextInterface(live.endpoints, taken, prefix);
}
