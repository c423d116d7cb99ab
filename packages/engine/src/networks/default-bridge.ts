import { WharfError } from '@wharf/kit';
import type { Netlink } from '@wharf/linux/netlink';
import { poolOverlapsWith } from '@wharf/wire/docker/messages';
import { choosePool } from './default-pools.ts';
import { OPTION } from './driver-options.ts';
import { addressOf } from './host-network.ts';
import type { PoolFacts } from './ipam-request.ts';
import { IPV6_MTU_MIN } from './limits.ts';
import { type BridgeSettings, DEFAULT_NETWORK, type NetworkPool, type NetworkRecord } from './network.ts';
import type { NetworkConfig } from './network-books.ts';
import { predefined } from './records.ts';
import {
  contains,
  type Family,
  formatAddress,
  formatSubnet,
  overlaps,
  parseAddress,
  parseCidr,
  type Subnet,
} from './subnet.ts';

export interface DefaultBridgeFacts {
  readonly config: NetworkConfig;
  /** As it was at the last start. */
  readonly known: NetworkRecord | undefined;
  readonly netlink: Netlink;
  readonly facts: PoolFacts;
  readonly uplinkMtu: number;
  readonly hasIPv6: boolean;
}

/** The default network as the daemon's settings, its past and the host want it. Throws `invalid-argument`. */
export function defaultBridgeRecord(facts: DefaultBridgeFacts): NetworkRecord {
  const { config, known } = facts;
  const bridge: BridgeSettings = {
    name: config.bridge,
    mtu: config.mtu || facts.uplinkMtu,
    ...(config.mtu === 0 ? { mtuFollows: true } : {}),
    icc: config.icc,
    masquerade: config.ipMasquerade,
    hostBinding: config.hostIp,
    hostBinding6: config.hostIp === '0.0.0.0' ? '::' : '',
    gatewayMode4: 'nat',
    gatewayMode6: 'nat',
    trustedInterfaces: [],
    inhibitIPv4: false,
    ifnamePrefix: 'eth',
    ...(isForeign(facts) ? { foreign: true } : {}),
  };
  const ipv4 = [ipv4Pool(facts)];
  const ipv6 = config.ipv6 && facts.hasIPv6 && bridge.mtu >= IPV6_MTU_MIN ? [ipv6Pool(facts)] : [];
  return {
    ...predefined(DEFAULT_NETWORK, 'bridge'),
    ...(known ? { id: known.id, createdAt: known.createdAt } : {}),
    options: {
      [OPTION.defaultBridge]: 'true',
      [OPTION.icc]: String(bridge.icc),
      [OPTION.masquerade]: String(bridge.masquerade),
      [OPTION.hostBinding]: bridge.hostBinding,
      [OPTION.name]: bridge.name,
      [OPTION.mtu]: String(bridge.mtu),
    },
    ipam: {
      Driver: 'default',
      Options: null,
      Config: [...ipv4, ...ipv6].map(({ subnet, gateway, ipRange }) => ({
        Subnet: subnet,
        ...(ipRange === undefined ? {} : { IPRange: ipRange }),
        Gateway: gateway,
      })),
    },
    ipv4,
    ipv6,
    bridge,
  };
}

/** Somebody had made the bridge when we saw it first. */
const isForeign = ({ known, netlink, config }: DefaultBridgeFacts): boolean =>
  known?.bridge?.name === config.bridge ? known.bridge.foreign === true : netlink.findLink(config.bridge) !== undefined;

/** `--bip`, else what was used before, else what the link has, else what `--fixed-cidr` names, else the first free pool. */
function ipv4Pool({ config, known, netlink, facts }: DefaultBridgeFacts): NetworkPool {
  const before = known?.ipv4[0];
  const more = { range: config.fixedCidr, containerGateway: config.defaultGateway };
  if (config.bip !== undefined) return poolAt(config.bip, facts, more);
  if (before) return poolAt(`${before.gateway}/${before.subnet.split('/')[1]}`, facts, more);
  const present = addressOf(netlink, config.bridge);
  if (present !== undefined) return poolAt(present, facts, more);
  const fixed = config.fixedCidr === undefined ? undefined : parseCidr(config.fixedCidr)?.subnet;
  return poolAt(firstOf(fixed ?? choose(facts, 4)), facts, more);
}

/** `--bip6`, else the subnet of `--fixed-cidr-v6`, else what was used before, else one of this daemon's own prefix. */
function ipv6Pool({ config, known, facts }: DefaultBridgeFacts): NetworkPool {
  const before = known?.ipv6[0];
  const more = { range: config.fixedCidr6, containerGateway: config.defaultGateway6 };
  if (config.bip6 !== undefined) return poolAt(config.bip6, facts, more);
  const fixed = config.fixedCidr6 === undefined ? undefined : parseCidr(config.fixedCidr6)?.subnet;
  if (fixed) return poolAt(firstOf(fixed), facts, more);
  if (before) return poolAt(`${before.gateway}/${before.subnet.split('/')[1]}`, facts, more);
  return poolAt(firstOf(choose(facts, 6)), facts, more);
}

const choose = (facts: PoolFacts, family: Family): Subnet =>
  choosePool(facts.defaults, family, [...facts.own.map(({ subnet }) => subnet), ...facts.host]);

const firstOf = ({ family, base, length }: Subnet): string =>
  `${formatAddress({ family, value: base + 1n })}/${length}`;

/** The pool of a bridge with that address, `a.b.c.d/n`. Throws `invalid-argument`. */
function poolAt(
  given: string,
  facts: PoolFacts,
  more: { readonly range: string | undefined; readonly containerGateway: string | undefined },
): NetworkPool {
  const refuse = (message: string): WharfError => new WharfError('invalid-argument', message);
  const parsed = parseCidr(given);
  if (!parsed || parsed.address.value === parsed.subnet.base)
    throw refuse(`Cannot use "${given}" as the bridge's address: it is not an address with a prefix length`);
  const { subnet, address } = parsed;
  const holder = facts.own.find((other) => overlaps(other.subnet, subnet));
  if (holder) throw refuse(poolOverlapsWith(formatSubnet(subnet), holder.holder));
  const range = more.range === undefined ? undefined : parseCidr(more.range)?.subnet;
  if (more.range !== undefined && (!range || range.length < subnet.length || !overlaps(range, subnet)))
    throw refuse(`Cannot give out addresses of "${more.range}": it is not a part of ${formatSubnet(subnet)}`);
  if (more.containerGateway !== undefined && !contains(subnet, parseAddress(more.containerGateway)))
    throw refuse(`Cannot use "${more.containerGateway}" as the default gateway: it is not in ${formatSubnet(subnet)}`);
  return {
    subnet: formatSubnet(subnet),
    gateway: formatAddress(address),
    ...(more.containerGateway === undefined ? {} : { containerGateway: more.containerGateway }),
    ...(range === undefined || range.length === subnet.length ? {} : { ipRange: formatSubnet(range) }),
    reserved: more.containerGateway === undefined ? [] : [more.containerGateway],
  };
}
