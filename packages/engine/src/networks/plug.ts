/** Plugs containers into networks: links, addresses, routes. Synchronous; 2 ms for one bridge. */
import { existsSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import type { IpvlanFlag, IpvlanMode, MacvlanMode, Netlink, UpperKind } from '@wharf/linux/netlink';
import { gatewayEndpoint } from './endpoint-settings.ts';
import {
  type BridgeSettings,
  bornLinkOf,
  hostLinkOf,
  isPlugged,
  type LiveEndpoint,
  type ParentSettings,
} from './network.ts';
import { expectLink, setLinkSysctls } from './sandbox.ts';

export interface PlugOptions {
  readonly host: Netlink;
  readonly inside: Netlink;
  readonly netnsPath: string;
  readonly endpoint: LiveEndpoint;
  /** Families whose default route leads through this endpoint. */
  readonly gatewayFor: readonly (4 | 6)[];
  /** The namespace is new: its loopback is down. */
  readonly first: boolean;
  /** Nothing has changed the namespace's defaults since `createSandbox`. */
  readonly untouched: boolean;
}

/** Gives an endpoint its link, complete. When it throws, nothing of the link is left. */
export function plug(options: PlugOptions): void {
  const { inside, netnsPath, endpoint } = options;
  const { bridge, parent } = endpoint.network;
  // What a link without IPv6 wants is what a new namespace gives it.
  if (!options.untouched || endpoint.address6 !== '') expectLink(netnsPath, endpoint);
  try {
    if (bridge) plugIntoBridge(options, bridge);
    else if (parent) plugOnto(options, parent);
    setLinkSysctls(netnsPath, endpoint);
    configure(options);
  } catch (error) {
    unplug(inside, endpoint);
    throw error;
  }
}

/** The pair is made in one step with the far end born in the namespace. */
function plugIntoBridge({ host, netnsPath, endpoint }: PlugOptions, bridge: BridgeSettings): void {
  // With br_netfilter a packet to a container's own published port never leaves the bridge: it must go back by its port.
  const hairpin = existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables');
  host.createVeth({
    name: hostLinkOf(endpoint.endpointId),
    peer: endpoint.ifname,
    peerNetns: netnsPath,
    mtu: bridge.mtu,
    mac: endpoint.mac,
    master: host.indexOf(bridge.name),
    port: hairpin || !bridge.icc ? { hairpin, isolated: !bridge.icc } : undefined,
    up: true,
  });
}

/** Before Linux 6.15 such a link is born in the host's namespace: there its name must not be one of the host's (`eth0`). */
function plugOnto({ host, inside, netnsPath, endpoint }: PlugOptions, parent: ParentSettings): void {
  const { driver } = endpoint.network;
  const type: UpperKind =
    driver === 'ipvlan'
      ? { kind: 'ipvlan', mode: parent.mode as IpvlanMode, flag: (parent.flag ?? 'bridge') as IpvlanFlag }
      : { kind: 'macvlan', mode: parent.mode as MacvlanMode };
  const mac = driver === 'ipvlan' || parent.mode === 'passthru' ? undefined : endpoint.mac;
  const born = bornLinkOf(endpoint.endpointId);
  try {
    host.createUpperLink({
      name: born,
      parent: parent.name,
      type,
      netns: netnsPath,
      mac,
      mtu: parent.mtu,
    });
  } catch (error) {
    if (hasErrno(error, 'EOPNOTSUPP', 'ENOTSUP')) throw unsupported(driver);
    throw error;
  }
  try {
    inside.rename(born, endpoint.ifname);
  } catch (error) {
    inside.deleteLink(born);
    throw error;
  }
}

/** Refuses a driver that the kernel has not. */
export const unsupported = (driver: string): WharfError =>
  new WharfError('not-implemented', `Cannot use "${driver}" networks: the kernel of this host has no ${driver} links`);

function configure({ inside, endpoint, gatewayFor, first }: PlugOptions): void {
  const { address, address6, prefixLength, prefixLength6, ifname, linkLocal, network } = endpoint;
  const routes = gatewayFor.map((family) => ({ family, gateway: gatewayOf(endpoint, family) }));
  // Layer 3 ipvlan has no neighbours to ask.
  const silent = network.driver === 'ipvlan' || network.parent?.mode === 'passthru';
  inside.configure({
    ifname,
    addresses: [
      ...(address === '' ? [] : [`${address}/${prefixLength}`]),
      ...(address6 === '' ? [] : [`${address6}/${prefixLength6}`]),
      ...linkLocal,
    ],
    gateways: routes.flatMap(({ gateway }) => (gateway === '' ? [] : [gateway])),
    direct: routes.flatMap(({ family, gateway }) => (gateway === '' ? [family] : [])),
    loopback: first,
    announce: silent || endpoint.mac === '' ? undefined : endpoint.mac,
  });
}

/** The gateway of an endpoint's default route; empty when it leads to the link itself. */
function gatewayOf({ network, gateway, gateway6 }: LiveEndpoint, family: 4 | 6): string {
  if (network.driver === 'ipvlan' && network.parent?.mode !== 'l2') return '';
  return family === 4 ? gateway : gateway6;
}

/** Families whose default route leads through `endpoint`, of all a container has. */
export const gatewayFamilies = (endpoints: readonly LiveEndpoint[], endpoint: LiveEndpoint): (4 | 6)[] =>
  ([4, 6] as const).filter((family) => gatewayEndpoint(endpoints, family) === endpoint);

/** Unplugs a container from a network. Idempotent. */
export function unplug(inside: Netlink, endpoint: LiveEndpoint): void {
  try {
    inside.deleteLink(endpoint.ifname);
  } catch (error) {
    if (!hasErrno(error, 'ENODEV')) throw error;
  }
}

/** Leads the default routes where they belong with the endpoints `now`; a route that is right is not touched. */
export function moveDefaultRoutes(
  inside: Netlink,
  before: readonly LiveEndpoint[],
  now: readonly LiveEndpoint[],
): void {
  for (const family of [4, 6] as const) {
    const to = gatewayEndpoint(now, family);
    if (to === gatewayEndpoint(before, family)) continue;
    deleteDefaultRoute(inside, family);
    if (to === undefined || !isPlugged(to)) continue;
    const gateway = gatewayOf(to, family);
    inside.replaceRoute({ family, ifname: to.ifname, gateway: gateway === '' ? undefined : gateway });
  }
}

function deleteDefaultRoute(inside: Netlink, family: 4 | 6): void {
  try {
    inside.deleteRoute({ family });
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}
