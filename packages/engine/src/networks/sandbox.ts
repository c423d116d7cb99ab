/** The kernel's side of a container's network: namespace, links, addresses, routes. Synchronous; 2 ms for one bridge. */
import { existsSync } from 'node:fs';
import { hasErrno } from '@wharf/kit';
import { createPinnedNetns, removePinnedNetns } from '@wharf/linux/namespaces';
import { Netlink } from '@wharf/linux/netlink';
import { setSysctl } from './bridge.ts';
import { type BridgeSettings, hostLinkOf, type LiveEndpoint } from './network.ts';

/** Makes a namespace pinned at `path` with `lo` up and returns a session in it; what an earlier run left there is removed. */
export function createSandbox(path: string): Netlink {
  if (existsSync(path)) removePinnedNetns(path);
  const inside = createPinnedNetns(path, () => {
    // Interfaces to come get no IPv6 address of their own; the loopback keeps ::1.
    setSysctl('/proc/sys/net/ipv6/conf/default/disable_ipv6', '1');
    return Netlink.open();
  });
  if (!inside) throw new Error('unreachable: createPinnedNetns returns what its callback does');
  return inside;
}

/** Plugs a container into a bridge: the pair is made in one step with the far end born in the namespace. */
export function attach(options: {
  readonly host: Netlink;
  readonly inside: Netlink;
  readonly netnsPath: string;
  readonly endpoint: LiveEndpoint;
  readonly bridge: BridgeSettings;
  /** Whether the default route leads through this network. */
  readonly isGateway: boolean;
  readonly first: boolean;
}): void {
  const { host, inside, endpoint, bridge } = options;
  const name = hostLinkOf(endpoint.endpointId);
  host.createVeth({
    name,
    peer: endpoint.ifname,
    peerNetns: options.netnsPath,
    mtu: bridge.mtu,
    mac: endpoint.mac,
    master: host.indexOf(bridge.name),
    up: true,
  });
  // With br_netfilter a packet to a container's own published port never leaves the bridge: it must go back by its port.
  const hairpin = existsSync('/proc/sys/net/bridge/bridge-nf-call-iptables');
  if (hairpin || !bridge.icc) host.setBridgePort(name, { hairpin, isolated: !bridge.icc });
  inside.configure({
    ifname: endpoint.ifname,
    addresses: [`${endpoint.address}/${endpoint.prefixLength}`],
    gateways: options.isGateway ? [bridge.gateway] : [],
    loopback: options.first,
  });
}

/** Unplugs a container from a bridge. Idempotent. */
export function detach(inside: Netlink, endpoint: LiveEndpoint): void {
  try {
    inside.deleteLink(endpoint.ifname);
  } catch (error) {
    if (!hasErrno(error, 'ENODEV')) throw error;
  }
}

/** Leads the default route through that gateway, or nowhere. */
export function setDefaultRoute(inside: Netlink, gateway: string | undefined): void {
  if (gateway !== undefined) {
    inside.replaceRoute({ gateway });
    return;
  }
  try {
    inside.deleteRoute({});
  } catch (error) {
    if (!hasErrno(error, 'ESRCH')) throw error;
  }
}

/**
 * Lets go of a namespace. The kernel takes the links down with it in its own time, which saves us the 20 ms that deleting
 * one takes.
 */
export function destroySandbox(path: string): void {
  removePinnedNetns(path);
}
