import { isMacAddress } from '../values/addresses.ts';
import { type NetworkWish, NO_WISHES } from '../values/network.ts';
import { orNull } from '../values/pairs.ts';
import { refuse } from '../values/refuse.ts';
import type { ContainerFlags } from './flags.ts';

/** A container's place in a network, as the Engine API has it. */
export interface EndpointSettings {
  readonly IPAMConfig: {
    readonly IPv4Address?: string;
    readonly IPv6Address?: string;
    readonly LinkLocalIPs?: readonly string[];
  } | null;
  readonly Links: readonly string[] | null;
  readonly Aliases: readonly string[] | null;
  readonly MacAddress: string;
  readonly DriverOpts: Readonly<Record<string, string>> | null;
  readonly GwPriority: number;
  readonly NetworkID: '';
  readonly EndpointID: '';
  readonly Gateway: '';
  readonly IPAddress: '';
  readonly IPPrefixLen: 0;
  readonly IPv6Gateway: '';
  readonly GlobalIPv6Address: '';
  readonly GlobalIPv6PrefixLen: 0;
  readonly DNSNames: null;
}

/** All of `--network`, in the order given. */
export function networksOf(flags: ContainerFlags): readonly NetworkWish[] {
  return [...flags.net, ...flags.network];
}

/**
 * The endpoints that a line asks for, by network. `--ip`, `--network-alias` and the like are of the first network; a single network
 * without any wish is left to the daemon.
 */
export function endpointsOf(flags: ContainerFlags): Readonly<Record<string, EndpointSettings>> {
  const wishes = networksOf(flags);
  if (wishes.length === 0) return { default: endpoint(withFlags({ ...NO_WISHES, target: 'default' }, flags), flags) };
  const endpoints: Record<string, EndpointSettings> = {};
  for (const [index, wish] of wishes.entries()) {
    const whole = index === 0 ? withFlags(wish, flags) : wish;
    const settings = endpoint(whole, index === 0 ? flags : undefined);
    if (Object.hasOwn(endpoints, wish.target)) {
      throw refuse(`network ${JSON.stringify(wish.target)} is specified multiple times`);
    }
    if (wishes.length > 1 || !isEmpty(settings)) endpoints[wish.target] = settings;
  }
  if (new Set(wishes.map(({ target }) => isUserDefined(target))).size > 1) {
    throw refuse('conflicting options: cannot attach both user-defined and non-user-defined network-modes');
  }
  return endpoints;
}

function withFlags(wish: NetworkWish, flags: ContainerFlags): NetworkWish {
  const aliases = [...flags['net-alias'], ...flags['network-alias']];
  const { ip = '', ip6 = '', 'mac-address': mac = '', 'link-local-ip': linkLocal } = flags;
  const both = (flag: string, other: string): Error =>
    refuse(`conflicting options: cannot specify both --${flag} and per-network ${other}`);
  if (wish.aliases.length > 0 && aliases.length > 0) throw both('network-alias', 'alias');
  if (wish.ipv4 !== '' && ip !== '') throw both('ip', 'IPv4 address');
  if (wish.ipv6 !== '' && ip6 !== '') throw both('ip6', 'IPv6 address');
  if (wish.mac !== '' && mac !== '') throw both('mac-address', 'MAC address');
  if (wish.linkLocal.length > 0 && linkLocal.length > 0) throw both('link-local-ip', 'link-local IP addresses');
  return {
    ...wish,
    aliases: aliases.length > 0 ? aliases : wish.aliases,
    ipv4: ip || wish.ipv4,
    ipv6: ip6 || wish.ipv6,
    mac: mac || wish.mac,
    linkLocal: linkLocal.length > 0 ? linkLocal : wish.linkLocal,
  };
}

/** `flags` are given for the first network, whose links are those of the line. */
function endpoint(wish: NetworkWish, flags: ContainerFlags | undefined): EndpointSettings {
  const { target, aliases, driverOptions, ipv4, ipv6, linkLocal, mac, gatewayPriority } = wish;
  if (target.trim() === '') throw refuse('no name set for network');
  const isOwn = isUserDefined(target);
  if (!isOwn && aliases.length > 0) {
    throw refuse('network-scoped aliases are only supported for user-defined networks');
  }
  if (mac !== '' && !isMacAddress(mac)) throw refuse(`${mac} is not a valid mac address`);
  const addresses = {
    ...(ipv4 === '' ? {} : { IPv4Address: ipv4 }),
    ...(ipv6 === '' ? {} : { IPv6Address: ipv6 }),
    ...(linkLocal.length === 0 ? {} : { LinkLocalIPs: linkLocal }),
  };
  return {
    IPAMConfig: Object.keys(addresses).length === 0 ? null : addresses,
    // In the default network a link is the container's, not the endpoint's.
    Links: isOwn ? orNull(flags?.link ?? []) : null,
    Aliases: orNull(aliases),
    MacAddress: mac,
    DriverOpts: driverOptions ?? null,
    GwPriority: gatewayPriority,
    ...{ NetworkID: '', EndpointID: '', Gateway: '', IPAddress: '', IPPrefixLen: 0, IPv6Gateway: '' },
    ...{ GlobalIPv6Address: '', GlobalIPv6PrefixLen: 0, DNSNames: null },
  };
}

function isEmpty({ IPAMConfig, Links, Aliases, MacAddress, DriverOpts, GwPriority }: EndpointSettings): boolean {
  return (
    [IPAMConfig, Links, Aliases, DriverOpts].every((value) => value === null) && MacAddress === '' && GwPriority === 0
  );
}

/** True for a network that somebody made, not one of docker's words. */
export function isUserDefined(mode: string): boolean {
  return (
    !['default', 'bridge', 'host', 'none'].includes(mode) && !mode.startsWith('container:') && mode !== 'container'
  );
}
