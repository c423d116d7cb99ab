/**
 * What the packet filter should hold, as nft(8) scripts. Pure: `packet-filter.ts` applies them.
 *
 * One table per daemon. Its rules never change; everything that comes and goes is an element of a set or map, so a network
 * or a container is one small transaction, and one that is half there cannot be.
 */

/** A published port. `hostIp` `0.0.0.0` stands for every address of the host. */
export interface PortForward {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostIp: string;
  readonly hostPort: number;
  readonly address: string;
  readonly port: number;
}

export interface FilteredNetwork {
  readonly bridge: string;
  readonly subnet: string;
  readonly internal: boolean;
  readonly masquerade: boolean;
}

/** The table of the daemon with that default bridge. */
export const tableNameOf = (bridge: string): string =>
  bridge === 'wharf0' ? 'wharf' : `wharf_${bridge.replace(/[^A-Za-z0-9_]/g, '_')}`;

/**
 * The whole table, replacing whatever there was of it, in one transaction.
 *
 * - `publish`: a port of this host goes to its container, from outside (`prerouting`) and from here (`output`).
 * - Answers must come back through us: what a container, or 127.0.0.1, sends to a published port is masqueraded.
 * - Containers must not reach this host's 127.0.0.1 by way of route_localnet (`antispoof`).
 * - `forward`: networks do not see each other, internal ones see nothing, and nobody outside reaches a port that is not
 *   published. An accept here ends only our own chain: another table (a firewall's, Docker's) may still drop.
 */
export function fullTable(
  table: string,
  networks: readonly FilteredNetwork[],
  forwards: readonly PortForward[],
): string {
  const elements = [...networks.flatMap(networkElements), ...forwards.map(forwardElement)];
  return `table ip ${table}
delete table ip ${table}
table ip ${table} {
  set bridges {
    type ifname
  }
  set same_bridge {
    type ifname . ifname
  }
  set internal_bridges {
    type ifname
  }
  set subnets {
    type ipv4_addr
    flags interval
  }
  set nat_subnets {
    type ipv4_addr
    flags interval
  }
  map ports_any {
    type inet_proto . inet_service : ipv4_addr . inet_service
  }
  map ports_bound {
    type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
  }
  chain antispoof {
    type filter hook prerouting priority raw; policy accept;
    iifname @bridges ip daddr 127.0.0.0/8 drop
  }
  chain publish {
    dnat ip to ip daddr . meta l4proto . th dport map @ports_bound
    dnat ip to meta l4proto . th dport map @ports_any
  }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local jump publish
  }
  chain output {
    type nat hook output priority -100; policy accept;
    fib daddr type local jump publish
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    oifname @bridges ct status dnat ip saddr @subnets masquerade
    ip saddr @nat_subnets oifname != @bridges masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    iifname . oifname @same_bridge accept
    iifname @internal_bridges drop
    oifname @internal_bridges drop
    oifname @bridges ct status dnat accept
    oifname @bridges drop
  }
}
${elements.map(([set, element]) => `add element ip ${table} ${set} { ${element} }\n`).join('')}`;
}

type Element = readonly [set: string, element: string];

const change = (verb: 'add' | 'delete', table: string, elements: readonly Element[]): string =>
  elements
    .map(
      ([set, element]) =>
        `${verb} element ip ${table} ${set} { ${verb === 'delete' ? element.replace(/ : .*/, '') : element} }`,
    )
    .join('\n');

function networkElements(network: FilteredNetwork): Element[] {
  const name = `"${network.bridge}"`;
  const elements: Element[] = [
    ['bridges', name],
    ['same_bridge', `${name} . ${name}`],
    ['subnets', network.subnet],
  ];
  if (network.internal) elements.push(['internal_bridges', name]);
  else if (network.masquerade) elements.push(['nat_subnets', network.subnet]);
  return elements;
}

function forwardElement(forward: PortForward): Element {
  const { protocol, hostIp, hostPort, address, port } = forward;
  const target = `${address} . ${port}`;
  return hostIp === '0.0.0.0'
    ? ['ports_any', `${protocol} . ${hostPort} : ${target}`]
    : ['ports_bound', `${hostIp} . ${protocol} . ${hostPort} : ${target}`];
}

/** Adds a network's elements. */
export const addNetwork = (table: string, network: FilteredNetwork): string =>
  change('add', table, networkElements(network));

/** Removes a network's elements; they must be there. */
export const removeNetwork = (table: string, network: FilteredNetwork): string =>
  change('delete', table, networkElements(network));

/** Publishes ports. */
export const addForwards = (table: string, forwards: readonly PortForward[]): string =>
  change('add', table, forwards.map(forwardElement));

/** Takes ports back; they must be there. */
export const removeForwards = (table: string, forwards: readonly PortForward[]): string =>
  change('delete', table, forwards.map(forwardElement));
