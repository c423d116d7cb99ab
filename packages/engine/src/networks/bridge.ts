import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import type { Netlink } from '@wharf/linux/netlink';
import type { BridgeSettings, NetworkRecord } from './network.ts';
import { lengthOf } from './subnet.ts';

/** A network with its bridge. */
export type BridgeNetwork = NetworkRecord & { readonly bridge: BridgeSettings };

/** Every bridge has this address too, so that what containers find by router discovery is always the same. */
const LINK_LOCAL_GATEWAY = 'fe80::1/64';

/** Addresses that the bridge is to have, `address/n`. */
export function bridgeAddresses(network: BridgeNetwork): string[] {
  const { bridge, ipv4, ipv6 } = network;
  const of = (pools: NetworkRecord['ipv4']): string[] =>
    pools.flatMap(({ gateway, subnet }) => (gateway === '' ? [] : [`${gateway}/${lengthOf(subnet)}`]));
  const isolated6 = bridge.gatewayMode6 === 'isolated';
  return [
    ...(bridge.inhibitIPv4 || bridge.gatewayMode4 === 'isolated' ? [] : of(ipv4)),
    ...(isolated6 ? [] : of(ipv6)),
    ...(isolated6 || ipv6.length === 0 ? [] : [LINK_LOCAL_GATEWAY]),
  ];
}

/** Makes sure that the bridge is there as the record says: link, addresses, kernel switches. Idempotent; some 1 ms when new. */
export function ensureBridge(netlink: Netlink, network: BridgeNetwork): void {
  const { bridge } = network;
  const link = netlink.findLink(bridge.name);
  if (link && link.kind !== 'bridge') {
    throw new WharfError(
      'failed-precondition',
      `Cannot use "${bridge.name}" as a bridge: it is a ${link.kind || 'physical'} link`,
    );
  }
  if (!link) {
    const mac = ['02', '42', ...[...randomBytes(4)].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
    netlink.createBridge(bridge.name, { mtu: bridge.mtu, mac });
  } else if (link.mtu !== bridge.mtu && !(bridge.foreign === true && bridge.mtuFollows === true)) {
    netlink.setMtu(bridge.name, bridge.mtu);
  }
  setSwitches(network);
  const wanted = bridgeAddresses(network);
  netlink.addAddresses(bridge.name, wanted);
  if (link && bridge.foreign !== true) removeOtherAddresses(netlink, bridge.name, wanted);
  if (link?.up !== true) netlink.setUp(bridge.name);
}

function removeOtherAddresses(netlink: Netlink, name: string, wanted: readonly string[]): void {
  const index = netlink.indexOf(name);
  for (const { ifindex, address, prefixLength, family } of netlink.listAddresses()) {
    const prefix = `${address}/${prefixLength}`;
    if (ifindex !== index || wanted.includes(prefix) || (family === 6 && address.startsWith('fe80:'))) continue;
    netlink.deleteAddress(name, prefix);
  }
}

function setSwitches({ bridge, ipv6 }: BridgeNetwork): void {
  const { name } = bridge;
  // 127.0.0.1:PORT of this host is led to a container: the answer carries a loopback address over the bridge.
  setSysctl(`/proc/sys/net/ipv4/conf/${name}/route_localnet`, '1');
  const own6 = ipv6.length > 0 && bridge.gatewayMode6 !== 'isolated';
  // No address of its own in a family that the network does not have.
  setSysctl(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, own6 ? '0' : '1');
  if (!own6) return;
  // The bridge is the router: nobody in a container advertises one to this host, and its addresses are known to be its own.
  setSysctl(`/proc/sys/net/ipv6/conf/${name}/accept_ra`, '0');
  setSysctl(`/proc/sys/net/ipv6/conf/${name}/accept_dad`, '0');
}

/** Removes the bridge. Idempotent. */
export function removeBridge(netlink: Netlink, name: string): void {
  try {
    netlink.deleteLink(name);
  } catch (error) {
    if (!hasErrno(error, 'ENODEV')) throw error;
  }
}

/** Lets this host pass packets on between networks. */
export function enableForwarding(families: { readonly ipv6: boolean }): void {
  setSysctl('/proc/sys/net/ipv4/ip_forward', '1');
  if (families.ipv6) enableIPv6Forwarding();
}

const IPV6_CONF = '/proc/sys/net/ipv6/conf';

/**
 * A router ignores router advertisements unless told otherwise (accept_ra 2, ip-sysctl.rst): a host that has its own default route
 * from one would lose it.
 */
function enableIPv6Forwarding(): void {
  const all = `${IPV6_CONF}/all/forwarding`;
  if (!existsSync(all) || readFileSync(all, 'utf8').trim() === '1') return;
  for (const name of readdirSync(IPV6_CONF)) {
    const path = `${IPV6_CONF}/${name}/accept_ra`;
    if (name === 'all' || name === 'lo' || name.startsWith('veth')) continue;
    if (existsSync(path) && readFileSync(path, 'utf8').trim() === '1') writeFileSync(path, '2');
  }
  writeFileSync(all, '1');
}

/** Writes a kernel switch of the current namespace unless it has the value; one that this kernel lacks is left out. */
export function setSysctl(path: string, value: string): void {
  if (!existsSync(path)) return;
  if (readFileSync(path, 'utf8').trim() !== value) writeFileSync(path, value);
}
