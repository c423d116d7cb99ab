/** What the networks need to know of this host: its routes, its uplink, its kernel. */
import { existsSync } from 'node:fs';
import type { Netlink } from '@wharf/linux/netlink';
import { readHostResolvConf } from './files.ts';
import { overlaps, parseAddress, parseCidr, type Subnet, subnetOf } from './subnet.ts';

const MAIN_TABLE = 254;
const LINK_LOCAL = parseCidr('fe80::/10')?.subnet as Subnet;
const MULTICAST = parseCidr('ff00::/8')?.subnet as Subnet;

/** IPv6 is in the kernel and not switched off at boot. */
export const kernelHasIPv6 = (): boolean => existsSync('/proc/net/if_inet6');

/** The MTU of the link that the default route uses, or Ethernet's. */
export const uplinkMtu = (netlink: Netlink): number => uplinkOf(netlink).mtu;

/** The link that the default route uses; index 0 and Ethernet's MTU when there is none. */
export function uplinkOf(netlink: Netlink): { readonly index: number; readonly mtu: number } {
  const uplinks = netlink
    .listRoutes()
    .filter(({ destination, table }) => destination === 'default' && table === MAIN_TABLE);
  const uplink = uplinks.find(({ family }) => family === 4) ?? uplinks[0];
  if (!uplink || uplink.ifindex === 0) return { index: 0, mtu: 1500 };
  const mtu = netlink.listLinks().find(({ index }) => index === uplink.ifindex)?.mtu ?? 1500;
  return { index: uplink.ifindex, mtu };
}

/** The subnets that addresses, routes and name servers of this host use; those of `ignoring` (links of our own) do not count. */
export function hostSubnets(netlink: Netlink, ignoring: readonly string[]): Subnet[] {
  const own = new Set(ignoring.flatMap((name) => netlink.findLink(name)?.index ?? []));
  const texts: string[] = [];
  for (const { destination, table, ifindex } of netlink.listRoutes()) {
    if (table === MAIN_TABLE && destination !== 'default' && !own.has(ifindex)) texts.push(destination);
  }
  for (const { address, prefixLength, ifindex } of netlink.listAddresses())
    if (!own.has(ifindex)) texts.push(`${address}/${prefixLength}`);
  const found = texts.flatMap((text) => parseCidr(text)?.subnet ?? []);
  for (const server of readHostResolvConf().nameservers) {
    const address = parseAddress(server);
    if (address) found.push(subnetOf(address, address.family === 4 ? 32 : 128));
  }
  return found.filter((subnet) => !overlaps(subnet, LINK_LOCAL) && !overlaps(subnet, MULTICAST));
}

/** The first IPv4 address that a link has, `a.b.c.d/n`. */
export function addressOf(netlink: Netlink, name: string): string | undefined {
  const index = netlink.findLink(name)?.index;
  const found = netlink.listAddresses().find(({ ifindex, family }) => ifindex === index && family === 4);
  return found && `${found.address}/${found.prefixLength}`;
}
