/**
 * What the packet filter should hold, as nft(8) scripts. Pure: `packet-filter.ts` applies them.
 *
 * One table per daemon, for both address families. Its rules never change; everything that comes and goes is an element of a
 * set or map, so a network or a container is one small transaction, and one that is half there cannot be.
 */
import type { GatewayMode } from './network.ts';

/**
 * Published ports that follow each other: `count` of them from `hostPort` on lead to as many from `port` on. `hostIp`
 * `0.0.0.0` or `::` stands for every address of the host in that family.
 */
export interface PortForward {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostIp: string;
  readonly hostPort: number;
  readonly address: string;
  readonly port: number;
  readonly count: number;
  /** Not mapped but let through: the container's own address is known outside (`gateway_mode` `routed`). */
  readonly routed?: boolean;
}

export interface FilteredFamily {
  readonly subnets: readonly string[];
  readonly masquerade: boolean;
  readonly mode: GatewayMode;
  /** The source that masquerading uses instead of the uplink's address. */
  readonly hostSource?: string | undefined;
}

export interface FilteredNetwork {
  readonly bridge: string;
  readonly internal: boolean;
  /** Links of the host from where containers may be addressed directly. */
  readonly trusted: readonly string[];
  readonly ipv4?: FilteredFamily | undefined;
  readonly ipv6?: FilteredFamily | undefined;
}

/** The table of the daemon with that default bridge. */
export const tableNameOf = (bridge: string): string =>
  bridge === 'wharf0' ? 'wharf' : `wharf_${bridge.replace(/[^A-Za-z0-9_]/g, '_')}`;

const FAMILIES = [
  { number: 4, address: 'ipv4_addr' },
  { number: 6, address: 'ipv6_addr' },
] as const;

function setsOf(): string {
  const perFamily = FAMILIES.map(
    ({ number, address }) => `
  set subnets${number} {
    type ${address}
    flags interval
  }
  set nat_subnets${number} {
    type ${address}
    flags interval
  }
  map host_sources${number} {
    type ${address} : ${address}
    flags interval
  }
  set open_bridges${number} {
    type ifname
  }
  set routed_bridges${number} {
    type ifname
  }
  set open_ports${number} {
    type ${address} . inet_proto . inet_service
    flags interval
  }
  map ports_any${number} {
    type inet_proto . inet_service : ${address} . inet_service
  }
  map ports_bound${number} {
    type ${address} . inet_proto . inet_service : ${address} . inet_service
  }
  map ranges_any${number} {
    type inet_proto . inet_service : ${address}
    flags interval
  }
  map ranges_bound${number} {
    type ${address} . inet_proto . inet_service : ${address}
    flags interval
  }`,
  );
  return `
  set bridges {
    type ifname
  }
  set same_bridge {
    type ifname . ifname
  }
  set internal_bridges {
    type ifname
  }
  set trusted_links {
    type ifname . ifname
  }
  set relayed6 {
    type inet_service
    flags interval
  }${perFamily.join('')}`;
}

/**
 * The whole table, replacing whatever there was of it (also of an older wharf), in one transaction.
 *
 * - `publish`: a port of this host goes to its container, from outside (`prerouting`) and from here (`output`). What comes
 *   from outside for 127.0.0.1 is nobody's: the route back would let it in.
 * - The kernel takes no answer for ::1 from another link (there is no route_localnet for IPv6): what this host sends to
 *   [::1] goes to the daemon's relay at `relayPort` instead.
 * - Answers must come back through us: what a container, or 127.0.0.1, sends to a published port is masqueraded.
 * - Containers must not reach this host's 127.0.0.1 by way of route_localnet (`antispoof`).
 * - `forward`: networks do not see each other, internal ones see nothing, and nobody outside reaches a port that is not
 *   published, unless the network's gateway mode opens it (`nat-unprotected`: to other networks as well). An accept here ends only our own chain: another table (a
 *   firewall's, Docker's) may still drop.
 */
export function fullTable(
  table: string,
  networks: readonly FilteredNetwork[],
  forwards: readonly PortForward[],
  relayPort = 0,
): string {
  const elements = [...networks.flatMap(networkElements), ...forwards.flatMap(forwardElements)];
  return `table ip ${table}
delete table ip ${table}
table inet ${table}
delete table inet ${table}
table inet ${table} {${setsOf()}
  chain antispoof {
    type filter hook prerouting priority raw; policy accept;
    iifname @bridges ip daddr 127.0.0.0/8 drop
  }
  chain publish {
    jump publish4
    jump publish6
  }
  chain publish4 {
    meta nfproto != ipv4 return
    dnat ip to ip daddr . meta l4proto . th dport map @ports_bound4
    dnat ip to ip daddr . meta l4proto . th dport map @ranges_bound4
    dnat ip to meta l4proto . th dport map @ports_any4
    dnat ip to meta l4proto . th dport map @ranges_any4
  }
  chain publish6 {
    meta nfproto != ipv6 return
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @ports_bound6
    dnat ip6 to ip6 daddr . meta l4proto . th dport map @ranges_bound6
    dnat ip6 to meta l4proto . th dport map @ports_any6
    dnat ip6 to meta l4proto . th dport map @ranges_any6
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr 127.0.0.0/8 return
    ip6 daddr ::1 return
    fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    ip6 daddr ::1 tcp dport @relayed6 redirect to :${relayPort === 0 ? 1 : relayPort}
    ip6 daddr ::1 return
    fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    oifname @bridges ct status dnat ip saddr @subnets4 masquerade
    oifname @bridges ct status dnat ip6 saddr @subnets6 masquerade
    oifname != @bridges snat ip to ip saddr map @host_sources4
    oifname != @bridges snat ip6 to ip6 saddr map @host_sources6
    ip saddr @nat_subnets4 oifname != @bridges masquerade
    ip6 saddr @nat_subnets6 oifname != @bridges masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    iifname . oifname @same_bridge accept
    iifname @internal_bridges drop
    oifname @internal_bridges drop
    oifname @bridges ct status dnat accept
    oifname @bridges jump inward
  }
  chain inward {
    ip daddr . meta l4proto . th dport @open_ports4 accept
    ip6 daddr . meta l4proto . th dport @open_ports6 accept
    oifname @routed_bridges4 meta l4proto icmp accept
    oifname @routed_bridges6 meta l4proto icmpv6 accept
    iifname . oifname @trusted_links accept
    oifname @open_bridges4 meta nfproto ipv4 accept
    oifname @open_bridges6 meta nfproto ipv6 accept
    drop
  }
}
${change('add', table, elements)}`;
}

type Element = readonly [set: string, element: string];

/** One command for all elements of a set: a thousand commands take nftables a thousand times as long. */
function change(verb: 'add' | 'delete', table: string, elements: readonly Element[]): string {
  const bySet = new Map<string, string[]>();
  for (const [set, element] of elements) {
    const list = bySet.get(set) ?? [];
    list.push(verb === 'delete' ? element.replace(/ : .*/, '') : element);
    bySet.set(set, list);
  }
  return [...bySet].map(([set, list]) => `${verb} element inet ${table} ${set} { ${list.join(', ')} }\n`).join('');
}

/** How many elements each set should hold. */
export function elementCounts(
  networks: readonly FilteredNetwork[],
  forwards: readonly PortForward[],
): ReadonlyMap<string, number> {
  const seen = new Map<string, Set<string>>();
  for (const [set, element] of [...networks.flatMap(networkElements), ...forwards.flatMap(forwardElements)]) {
    const elements = seen.get(set) ?? new Set<string>();
    seen.set(set, elements.add(element));
  }
  return new Map([...seen].map(([set, elements]) => [set, elements.size]));
}

function networkElements(network: FilteredNetwork): Element[] {
  const name = `"${network.bridge}"`;
  const elements: Element[] = [
    ['bridges', name],
    ['same_bridge', `${name} . ${name}`],
  ];
  if (network.internal) elements.push(['internal_bridges', name]);
  for (const link of network.internal ? [] : network.trusted) elements.push(['trusted_links', `"${link}" . ${name}`]);
  for (const { number } of FAMILIES) {
    const family = number === 4 ? network.ipv4 : network.ipv6;
    if (!family) continue;
    elements.push(...family.subnets.map((subnet): Element => [`subnets${number}`, subnet]));
    if (network.internal) continue;
    const translated = family.mode === 'nat' || family.mode === 'nat-unprotected';
    for (const subnet of family.masquerade && translated ? family.subnets : []) {
      elements.push([`nat_subnets${number}`, subnet]);
      if (family.hostSource !== undefined) elements.push([`host_sources${number}`, `${subnet} : ${family.hostSource}`]);
    }
    if (family.mode === 'nat-unprotected') elements.push([`open_bridges${number}`, name]);
    if (family.mode === 'routed') elements.push([`routed_bridges${number}`, name]);
  }
  return elements;
}

/** Ranges that keep their numbers are one element; the kernel has no map from one range onto another. */
function forwardElements(forward: PortForward): Element[] {
  const { protocol, hostIp, hostPort, address, port, count } = forward;
  const family = hostIp.includes(':') ? 6 : 4;
  const any = hostIp === '0.0.0.0' || hostIp === '::';
  const key = (first: number, last: number): string =>
    `${any ? '' : `${hostIp} . `}${protocol} . ${first === last ? first : `${first}-${last}`}`;
  const last = hostPort + count - 1;
  if (forward.routed === true) {
    const ports = count === 1 ? String(port) : `${port}-${port + count - 1}`;
    return [[`open_ports${family}`, `${address} . ${protocol} . ${ports}`]];
  }
  const relayed: Element[] =
    protocol === 'tcp' && (hostIp === '::' || hostIp === '::1')
      ? [['relayed6', count === 1 ? String(hostPort) : `${hostPort}-${last}`]]
      : [];
  // Nothing but the relay ever sees what is for [::1].
  if (hostIp === '::1') return relayed;
  if (count > 1 && hostPort === port) {
    return [[`ranges_${any ? 'any' : 'bound'}${family}`, `${key(hostPort, last)} : ${address}`], ...relayed];
  }
  const map = `ports_${any ? 'any' : 'bound'}${family}`;
  const each = Array.from(
    { length: count },
    (_, index): Element => [map, `${key(hostPort + index, hostPort + index)} : ${address} . ${port + index}`],
  );
  return [...each, ...relayed];
}

/** Adds a network's elements. */
export const addNetwork = (table: string, network: FilteredNetwork): string =>
  change('add', table, networkElements(network));

/** Removes a network's elements; they must be there. */
export const removeNetwork = (table: string, network: FilteredNetwork): string =>
  change('delete', table, networkElements(network));

/** Publishes ports. */
export const addForwards = (table: string, forwards: readonly PortForward[]): string =>
  change('add', table, forwards.flatMap(forwardElements));

/** Takes ports back; they must be there. */
export const removeForwards = (table: string, forwards: readonly PortForward[]): string =>
  change('delete', table, forwards.flatMap(forwardElements));
