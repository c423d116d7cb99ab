import type { NetworkId } from '@wharf/kit';
import type { IPAM } from '@wharf/wire/docker/types';

export type NetworkDriver = 'bridge' | 'host' | 'null';

/** A network as it is kept in the store. */
export interface NetworkRecord {
  readonly id: NetworkId;
  readonly name: string;
  readonly driver: NetworkDriver;
  readonly createdAt: string;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly enableIPv6: boolean;
  /** As the client gave them; `inspect` shows them. */
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** As asked for, with what was chosen filled in. */
  readonly ipam: IPAM;
  /** A template for others (`--config-only`): nothing connects to it, and it has no link. */
  readonly configOnly?: boolean;
  /** The name of the network whose configuration this one has (`--config-from`). */
  readonly configFrom?: string;
  /** Absent for `host`, `none` and templates. */
  readonly bridge?: BridgeSettings;
}

export interface BridgeSettings {
  /** Name of the link on the host. */
  readonly name: string;
  /** `a.b.c.d/n`. */
  readonly subnet: string;
  readonly gateway: string;
  /** Where addresses are given out from; the whole subnet when absent. */
  readonly ipRange?: string;
  /** Addresses kept from containers. */
  readonly reserved: readonly string[];
  readonly mtu: number;
  /** Containers of the network may talk to each other. */
  readonly icc: boolean;
  readonly masquerade: boolean;
  /** Where ports are published that name no host address; every address of both families when it is `0.0.0.0`. */
  readonly hostBinding: string;
  /** How containers meet the world outside by IPv4; `nat` when absent. */
  readonly gatewayMode?: GatewayMode;
  /** Absent in a network without IPv6. */
  readonly ipv6?: Ipv6Settings;
}

/**
 * - `nat`: masqueraded, and only published ports are reached from outside;
 * - `nat-unprotected`: the same, but every port is reached by the container's own address;
 * - `routed`: own addresses outside too; published ports are let through, none is mapped;
 * - `isolated`: no address on the bridge, no way out.
 */
export type GatewayMode = 'nat' | 'nat-unprotected' | 'routed' | 'isolated';

/** The IPv6 side of a bridge network; fields as in `BridgeSettings`. */
export interface Ipv6Settings {
  /** `fdxx::/64`. */
  readonly subnet: string;
  readonly gateway: string;
  readonly ipRange?: string;
  readonly reserved: readonly string[];
  readonly masquerade: boolean;
  readonly gatewayMode?: GatewayMode;
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
  /** Empty for `host` and `none`. */
  readonly address: string;
  readonly prefixLength: number;
  /** Absent or empty where the network has no IPv6. */
  readonly address6?: string;
  readonly prefixLength6?: number;
  readonly mac: string;
  readonly gatewayPriority: number;
  /** Names that DNS answers for, the first also backwards. */
  readonly dnsNames: readonly string[];
  /** `container:alias` pairs that only this container sees. */
  readonly links: readonly string[];
}

/** The name of an endpoint's link on the host: told from the endpoint, so that a restarted daemon knows it again. */
export const hostLinkOf = (endpointId: string): string => `veth${endpointId.slice(0, 11)}`;

/** The MAC address Docker gives an IPv4 address (02:42 and the four bytes). */
export const macOf = (address: string): string =>
  ['02', '42', ...address.split('.').map((part) => Number(part).toString(16).padStart(2, '0'))].join(':');
