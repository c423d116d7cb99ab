import type { Dict, List } from './common.ts';

export interface EndpointIPAMConfig {
  readonly IPv4Address?: string | undefined;
  readonly IPv6Address?: string | undefined;
  readonly LinkLocalIPs?: List<string> | undefined;
}

/** What was asked for, and what is in force while connected. */
export interface EndpointSettings {
  readonly IPAMConfig?: EndpointIPAMConfig | null | undefined;
  readonly Links?: List<string> | undefined;
  readonly Aliases?: List<string> | undefined;
  readonly DriverOpts?: Dict<string> | undefined;
  /** Since 1.48. */
  readonly GwPriority?: number | undefined;
  readonly NetworkID?: string | undefined;
  readonly EndpointID?: string | undefined;
  readonly Gateway?: string | undefined;
  readonly IPAddress?: string | undefined;
  readonly IPPrefixLen?: number | undefined;
  readonly IPv6Gateway?: string | undefined;
  readonly GlobalIPv6Address?: string | undefined;
  readonly GlobalIPv6PrefixLen?: number | undefined;
  readonly MacAddress?: string | undefined;
  /** Since 1.44. */
  readonly DNSNames?: List<string> | undefined;
}

export interface IPAMConfig {
  readonly Subnet?: string | undefined;
  readonly IPRange?: string | undefined;
  readonly Gateway?: string | undefined;
  /** Docker's JSON name for the field is `AuxiliaryAddresses`. */
  readonly AuxiliaryAddresses?: Dict<string> | undefined;
}

export interface IPAM {
  readonly Driver?: string | undefined;
  readonly Options?: Dict<string> | undefined;
  readonly Config?: List<IPAMConfig> | undefined;
}

export interface ConfigReference {
  readonly Network: string;
}

export interface PeerInfo {
  readonly Name: string;
  readonly IP: string;
}

/** A container's place in a network, in `Network.Containers`, by container id. */
export interface EndpointResource {
  readonly Name: string;
  readonly EndpointID: string;
  readonly MacAddress: string;
  readonly IPv4Address: string;
  readonly IPv6Address: string;
}

export interface SubnetStatus {
  readonly IPsInUse: number;
  readonly DynamicIPsAvailable: number;
}

export interface NetworkStatus {
  readonly IPAM?: { readonly Subnets?: Dict<SubnetStatus> | undefined } | undefined;
}

export interface Network {
  readonly Name: string;
  readonly Id: string;
  readonly Created: string;
  readonly Scope: string;
  readonly Driver: string;
  /** Since 1.48. */
  readonly EnableIPv4?: boolean | undefined;
  readonly EnableIPv6: boolean;
  readonly IPAM: IPAM;
  readonly Internal: boolean;
  readonly Attachable: boolean;
  readonly Ingress: boolean;
  readonly ConfigFrom: ConfigReference;
  readonly ConfigOnly: boolean;
  /** Absent in list answers since 1.28. */
  readonly Containers?: Dict<EndpointResource> | undefined;
  readonly Options: Dict<string>;
  readonly Labels: Dict<string>;
  readonly Peers?: List<PeerInfo> | undefined;
  readonly Services?: Dict<unknown> | undefined;
  /** Since 1.52. */
  readonly Status?: NetworkStatus | undefined;
}

export type NetworkSummary = Network;
export type NetworkInspect = Network;

export interface NetworkCreateRequest {
  readonly Name?: string | undefined;
  /** Always on since 1.44. */
  readonly CheckDuplicate?: boolean | undefined;
  readonly Driver?: string | undefined;
  readonly Scope?: string | undefined;
  readonly Internal?: boolean | undefined;
  readonly Attachable?: boolean | undefined;
  readonly Ingress?: boolean | undefined;
  readonly ConfigOnly?: boolean | undefined;
  readonly ConfigFrom?: ConfigReference | null | undefined;
  readonly IPAM?: IPAM | null | undefined;
  readonly EnableIPv4?: boolean | null | undefined;
  readonly EnableIPv6?: boolean | null | undefined;
  readonly Options?: Dict<string> | undefined;
  readonly Labels?: Dict<string> | undefined;
}

export interface NetworkCreateResponse {
  readonly Id: string;
  readonly Warning: string;
}

export interface NetworkConnectRequest {
  readonly Container?: string | undefined;
  readonly EndpointConfig?: EndpointSettings | null | undefined;
}

export interface NetworkDisconnectRequest {
  readonly Container?: string | undefined;
  readonly Force?: boolean | undefined;
}

export interface NetworkPruneResponse {
  readonly NetworksDeleted: List<string>;
}
