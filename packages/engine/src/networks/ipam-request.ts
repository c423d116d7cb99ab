import { WharfError } from '@wharf/kit';
import { poolOverlapsWith } from '@wharf/wire/docker/messages';
import type { IPAM, IPAMConfig, NetworkCreateRequest } from '@wharf/wire/docker/types';
import { choosePool, type PoolToSplit } from './default-pools.ts';
import type { NetworkPool } from './network.ts';
import {
  contains,
  type Family,
  formatAddress,
  formatSubnet,
  lastOf,
  overlaps,
  parseAddress,
  parseCidr,
  type Subnet,
} from './subnet.ts';

/** Names of auxiliary addresses that say what containers use as their gateway, where it is not the bridge. */
const CONTAINER_GATEWAY: Readonly<Record<Family, string>> = { 4: 'DefaultGatewayIPv4', 6: 'DefaultGatewayIPv6' };

/** What a network's addresses may not collide with. */
export interface PoolFacts {
  /** Subnets of our networks, and whose they are. */
  readonly own: readonly { readonly subnet: Subnet; readonly holder: string }[];
  /** Those of everything else on this host. Networks may have them when the client says so. */
  readonly host: readonly Subnet[];
  readonly defaults: readonly PoolToSplit[];
}

/** Which families a network has. */
export interface Families {
  readonly ipv4: boolean;
  readonly ipv6: boolean;
}

const familyOf = (config: IPAMConfig): Family | undefined => parseCidr(config.Subnet ?? '')?.subnet.family;

/** What is wrong with an entry of `IPAM.Config`, in Docker's words. */
export function problemsOf(config: IPAMConfig): string[] {
  const text = config.Subnet ?? '';
  if (text === '') return [];
  const parsed = parseCidr(text);
  if (!parsed) return [`invalid subnet ${text}: invalid CIDR block notation`];
  const { subnet, address } = parsed;
  const problems: string[] = [];
  if (address.value !== subnet.base) problems.push(`invalid subnet ${text}: it should be ${formatSubnet(subnet)}`);
  if (config.IPRange) problems.push(...rangeProblems(config.IPRange, subnet, text));
  if (config.Gateway) problems.push(...addressProblems('gateway', config.Gateway, config.Gateway, subnet));
  for (const [name, value] of Object.entries(config.AuxiliaryAddresses ?? {}))
    problems.push(...addressProblems('auxiliary address', name, value, subnet));
  return problems;
}

function addressProblems(what: string, name: string, text: string, subnet: Subnet): string[] {
  const address = parseAddress(text);
  if (address && address.family !== subnet.family)
    return [`invalid ${what} ${name}: parent subnet is an IPv${subnet.family} block`];
  if (contains(subnet, address)) return [];
  return [`invalid ${what} ${name}: parent subnet ${formatSubnet(subnet)} doesn't contain this address`];
}

function rangeProblems(text: string, subnet: Subnet, parent: string): string[] {
  const parsed = parseCidr(text);
  if (!parsed) return [`invalid ip-range ${text}: invalid CIDR block notation`];
  const range = parsed.subnet;
  if (range.family !== subnet.family)
    return [`invalid ip-range ${text}: parent subnet is an IPv${subnet.family} block`];
  const problems: string[] = [];
  if (range.length < subnet.length)
    problems.push(`invalid ip-range ${text}: CIDR block is bigger than its parent subnet ${parent}`);
  if (parsed.address.value !== range.base)
    problems.push(`invalid ip-range ${text}: it should be ${formatSubnet(range)}`);
  if (!overlaps(range, subnet))
    problems.push(`invalid ip-range ${text}: parent subnet ${parent} doesn't contain ip-range`);
  return problems;
}

/**
 * Which families a request asks for. Networks have both unless it is said otherwise (`byDefault`); one whose subnets the client lays
 * out itself has exactly what it lays out, and IPv4.
 */
export function familiesOf(request: NetworkCreateRequest, byDefault: boolean): Families {
  const configs = (request.IPAM?.Config ?? []).filter(({ Subnet }) => (Subnet ?? '') !== '');
  const laidOut = configs.length > 0 ? configs.some((config) => familyOf(config) === 6) : byDefault;
  return { ipv4: request.EnableIPv4 ?? true, ipv6: request.EnableIPv6 ?? laidOut };
}

/**
 * The subnets of a new network: those asked for, and one from the pools for a family that none was asked for.
 * `gateway`: whether the network has an address of its own in each (bridges do). Throws in Docker's words.
 */
export function poolsOf(
  ipam: IPAM | null | undefined,
  options: { readonly family: Family; readonly gateway: boolean; readonly facts: PoolFacts },
): NetworkPool[] {
  const { family, facts, gateway } = options;
  const configs = ipam?.Config ?? [];
  const ofFamily = configs.filter((config) => familyOf(config) === family);
  // An entry without a subnet speaks of the IPv4 one that is to be chosen.
  const open =
    ofFamily.length === 0 ? (configs.find(({ Subnet }) => (Subnet ?? '') === '' && family === 4) ?? {}) : undefined;
  const inUse = [...facts.own];
  return (open ? [open] : ofFamily).map((config) => {
    const subnet = open ? undefined : parseCidr(config.Subnet ?? '')?.subnet;
    const chosen = subnet && subnet.base !== 0n ? subnet : choose(facts, inUse, family, subnet?.length);
    const holder = inUse.find((other) => overlaps(other.subnet, chosen));
    if (holder) {
      const held = `${formatSubnet(holder.subnet)} of ${holder.holder}`;
      throw new WharfError('permission-denied', poolOverlapsWith(formatSubnet(chosen), held));
    }
    inUse.push({ subnet: chosen, holder: 'another subnet of this request' });
    return poolOf(config, chosen, gateway);
  });
}

function choose(facts: PoolFacts, inUse: PoolFacts['own'], family: Family, length: number | undefined): Subnet {
  const size = length === undefined || length === 0 ? undefined : length;
  const pools =
    size === undefined
      ? facts.defaults
      : facts.defaults.filter(({ base }) => base.length <= size).map(({ base }) => ({ base, size }));
  return choosePool(pools, family, [...inUse.map(({ subnet }) => subnet), ...facts.host]);
}

function poolOf(config: IPAMConfig, subnet: Subnet, gateway: boolean): NetworkPool {
  const auxiliary = config.AuxiliaryAddresses ?? {};
  const containerGateway = auxiliary[CONTAINER_GATEWAY[subnet.family]];
  return {
    subnet: formatSubnet(subnet),
    gateway: canonical(config.Gateway ?? '') || (gateway ? firstAddress(config.IPRange, subnet) : ''),
    ...(containerGateway === undefined ? {} : { containerGateway: canonical(containerGateway) }),
    ...(config.IPRange ? { ipRange: config.IPRange } : {}),
    reserved: Object.values(auxiliary).map(canonical),
  };
}

function canonical(text: string): string {
  const address = parseAddress(text);
  return address ? formatAddress(address) : text;
}

/** Docker gives the bridge the first address of the range, or of the subnet. */
function firstAddress(range: string | undefined, subnet: Subnet): string {
  const from = (range && parseCidr(range)?.subnet) || subnet;
  const first =
    from.base === subnet.base && subnet.length < (subnet.family === 4 ? 31 : 127) ? from.base + 1n : from.base;
  const last = lastOf(subnet);
  return formatAddress({ family: subnet.family, value: first < last ? first : last });
}

/** What was asked for with what was chosen filled in, as `inspect` shows it. */
export function shownIpam(
  asked: IPAM | null | undefined,
  pools: { readonly ipv4: readonly NetworkPool[]; readonly ipv6: readonly NetworkPool[] },
): IPAM {
  const configs = asked?.Config ?? [];
  const shown = (pool: NetworkPool, family: Family, index: number): IPAMConfig => {
    const given = configs.filter((config) => familyOf(config) === family)[index];
    const { subnet, gateway } = pool;
    return { ...given, Subnet: subnet, ...(gateway === '' ? {} : { Gateway: gateway }) };
  };
  return {
    Driver: asked?.Driver || 'default',
    Options: asked?.Options ?? null,
    Config: [
      ...pools.ipv4.map((pool, index) => shown(pool, 4, index)),
      ...pools.ipv6.map((pool, index) => shown(pool, 6, index)),
    ],
  };
}
