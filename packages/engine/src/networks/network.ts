import type { NetworkId } from '@wharf/kit';
import { encodeIp } from '@wharf/linux/netlink';
import type { IPAM } from '@wharf/wire/docker/types';
import type { EndpointSysctl } from './endpoint-sysctls.ts';

export type NetworkDriver = 'bridge' | 'macvlan' | 'ipvlan' | 'host' | 'null';

/** A network as it is kept in the store. */
export interface NetworkRecord {
  readonly id: NetworkId;
  readonly name: string;
  readonly driver: NetworkDriver;
  readonly createdAt: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  /** As the client gave them; `inspect` shows them. */
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** As asked for, with what was chosen filled in. */
  readonly ipam: IPAM;
  /** A template for others (`--config-only`): nothing connects to it, and it has no link. */
  readonly configOnly?: boolean;
  /** Of templates: the families asked for; undefined where nothing was said. */
  readonly asked?: { readonly ipv4?: boolean; readonly ipv6?: boolean };
  /** The name of the network whose configuration this one has (`--config-from`). */
  readonly configFrom?: string;
  /** Where its addresses come from; none of a family: containers have no address of that family here. */
  readonly ipv4: readonly NetworkPool[];
  readonly ipv6: readonly NetworkPool[];
  /** Of `bridge` networks, templates excepted. */
  readonly bridge?: BridgeSettings;
  /** Of `macvlan` and `ipvlan` networks. */
  readonly parent?: ParentSettings;
}

/** A subnet of a network. */
export interface NetworkPool {
  /** `a.b.c.d/n` or the same of IPv6. */
  readonly subnet: string;
  /** The host's address on a bridge, the router's on a macvlan; empty when there is none. */
  readonly gateway: string;
  /** What containers use as their gateway, where it is not `gateway`. */
  readonly containerGateway?: string;
  /** Where addresses are given out from; the whole subnet when absent. */
  readonly ipRange?: string;
  /** Addresses kept from containers. */
  readonly reserved: readonly string[];
}

/**
 * How a network meets the world: `nat` hides containers behind the host, `nat-unprotected` does so but lets everybody reach
 * every port, `routed` hides and translates nothing, `isolated` (internal networks) gives the host itself no address.
 */
export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated';

export interface BridgeSettings {
  /** Name of the link on the host. */
  readonly name: string;
  readonly mtu: number;
  /** Nobody set the MTU: it is the uplink's and changes with it. */
  readonly mtuFollows?: boolean;
  /** Containers of the network may talk to each other. */
  readonly icc: boolean;
  readonly masquerade: boolean;
  /** Where ports are published that name no host address. */
  readonly hostBinding: string;
  readonly hostBinding6: string;
  readonly gatewayMode4: GatewayMode;
  readonly gatewayMode6: GatewayMode;
  /** Links of the host from where containers may be addressed directly. */
  readonly trustedInterfaces: readonly string[];
  /** What masquerading uses as the source instead of the uplink's address. */
  readonly hostSource4?: string;
  readonly hostSource6?: string;
  /** The bridge gets no IPv4 address. */
  readonly inhibitIPv4: boolean;
  /** `eth` of `eth0` in containers. */
  readonly ifnamePrefix: string;
  /** The link was there before: it is not ours to remove. */
  readonly foreign?: boolean;
}

export interface ParentSettings {
  /** The link of the host whose network containers join. */
  readonly name: string;
  /** `bridge`, `private`, `vepa`, `passthru`; `l2`, `l3`, `l3s`. */
  readonly mode: string;
  /** `ipvlan_flag`. */
  readonly flag?: string;
  /** We made the parent (a VLAN link, or one for nothing but this network) and remove it after. */
  readonly made: boolean;
  readonly mtu: number;
  readonly ifnamePrefix: string;
  /** The address by which this host itself is in the network (`host_access`). */
  readonly hostAddress?: string;
}

/** Names that mean something whatever networks there are. */
export const DEFAULT_NETWORK = 'bridge';
export const PREDEFINED: readonly string[] = ['bridge', 'host', 'none', 'default'];

/** True for networks that clients made: these have DNS, static addresses and aliases. */
export const isUserDefined = (name: string): boolean => !PREDEFINED.includes(name);

/** What `HostConfig.NetworkMode` stands for. */
export type NetworkMode =
  | { readonly kind: 'network'; readonly name: string }
  | { readonly kind: 'host' }
  | { readonly kind: 'none' }
  | { readonly kind: 'container'; readonly container: string };

export function parseNetworkMode(mode: string | undefined): NetworkMode {
  if (mode === undefined || mode === '' || mode === 'default') return { kind: 'network', name: DEFAULT_NETWORK };
  if (mode === 'host') return { kind: 'host' };
  if (mode === 'none') return { kind: 'none' };
  if (mode.startsWith('container:')) return { kind: 'container', container: mode.slice('container:'.length) };
  return { kind: 'network', name: mode };
}

/** One container's place in one live network. */
export interface LiveEndpoint {
  readonly endpointId: string;
  readonly network: NetworkRecord;
  readonly containerId: string;
  readonly containerName: string;
  /** Link in the container, `eth0`; empty for `host` and `none`. */
  readonly ifname: string;
  /** IPv4, empty when it has none. */
  readonly address: string;
  readonly prefixLength: number;
  /** Of the subnet that the address is in; empty when the network has none. */
  readonly gateway: string;
  /** IPv6, empty when it has none. */
  readonly address6: string;
  readonly prefixLength6: number;
  readonly gateway6: string;
  readonly mac: string;
  readonly gatewayPriority: number;
  /** Names that DNS answers for, the first also backwards. */
  readonly dnsNames: readonly string[];
  /** `com.docker.network.endpoint.sysctls`. */
  readonly sysctls: readonly EndpointSysctl[];
  /** Link-local addresses asked for, `address/n`. */
  readonly linkLocal: readonly string[];
  /** `container:alias` pairs that only this container sees. */
  readonly links: readonly string[];
}

/** The name of an endpoint's link on the host: told from the endpoint, so that a restarted daemon knows it again. */
export const hostLinkOf = (endpointId: string): string => `veth${endpointId.slice(0, 11)}`;

/** The name that a link on a parent has until it is where it belongs. */
export const bornLinkOf = (endpointId: string): string => `wl-${endpointId.slice(0, 12)}`;

export const hasIPv6 = (network: Pick<NetworkRecord, 'ipv6'>): boolean => network.ipv6.length > 0;

/** The endpoint is a link in the container; those of `host` and `none` are not. */
export const isPlugged = (endpoint: Pick<LiveEndpoint, 'ifname'>): boolean => endpoint.ifname !== '';

/** The MAC address that follows from an IP address: 02:42 and the last four bytes. The same address never changes its owner's. */
export function macOf(address: string): string {
  const bytes = encodeIp(address).bytes.subarray(-4);
  return ['02', '42', ...[...bytes].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}
