import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import type { Netlink } from '@wharf/linux/netlink';
import { parseCidr, type Subnet } from './ipv4.ts';
import type { BridgeSettings } from './network.ts';

/** Makes sure that the bridge is there as the record says: link, address, kernel switches. Idempotent; some 1 ms when new. */
export function ensureBridge(netlink: Netlink, bridge: BridgeSettings): void {
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
  } else if (link.mtu !== bridge.mtu) {
    netlink.setMtu(bridge.name, bridge.mtu);
  }
  setSwitches(bridge.name);
  const wanted = `${bridge.gateway}/${bridge.subnet.split('/')[1]}`;
  try {
    netlink.addAddress(bridge.name, wanted);
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  }
  if (link) removeOtherAddresses(netlink, bridge.name, wanted);
  if (link?.up !== true) netlink.setUp(bridge.name);
}

function removeOtherAddresses(netlink: Netlink, name: string, wanted: string): void {
  const index = netlink.indexOf(name);
  for (const { ifindex, address, prefixLength, family } of netlink.listAddresses()) {
    const prefix = `${address}/${prefixLength}`;
    if (ifindex === index && family === 4 && prefix !== wanted) netlink.deleteAddress(name, prefix);
  }
}

function setSwitches(name: string): void {
  // 127.0.0.1:PORT of this host is led to a container: the answer carries a loopback address over the bridge.
  setSysctl(`/proc/sys/net/ipv4/conf/${name}/route_localnet`, '1');
  // No address of its own in a family that the network does not have.
  setSysctl(`/proc/sys/net/ipv6/conf/${name}/disable_ipv6`, '1');
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
export function enableForwarding(): void {
  setSysctl('/proc/sys/net/ipv4/ip_forward', '1');
}

/** Writes a kernel switch of the current namespace unless it has the value; one that this kernel lacks is left out. */
export function setSysctl(path: string, value: string): void {
  if (!existsSync(path)) return;
  if (readFileSync(path, 'utf8').trim() !== value) writeFileSync(path, value);
}

/** The MTU of the link that the default route uses, or Ethernet's. */
export function uplinkMtu(netlink: Netlink): number {
  const uplink = netlink
    .listRoutes()
    .find(({ destination, family, table }) => destination === 'default' && family === 4 && table === 254);
  return netlink.listLinks().find(({ index }) => index === uplink?.ifindex)?.mtu ?? 1500;
}

/** The subnets that addresses and routes of this host already use; those of `ignoring` (a link of our own) do not count. */
export function subnetsInUse(netlink: Netlink, ignoring: string): Subnet[] {
  const own = netlink.findLink(ignoring)?.index;
  const texts: string[] = [];
  for (const { family, destination, table, ifindex } of netlink.listRoutes()) {
    if (family === 4 && table === 254 && destination !== 'default' && ifindex !== own) texts.push(destination);
  }
  for (const { family, address, prefixLength, ifindex } of netlink.listAddresses()) {
    if (family === 4 && ifindex !== own) texts.push(`${address}/${prefixLength}`);
  }
  return texts.flatMap((text) => parseCidr(text)?.subnet ?? []);
}

/** The IPv4 address that a link has, `a.b.c.d/n`. */
export function addressOf(netlink: Netlink, name: string): string | undefined {
  const index = netlink.findLink(name)?.index;
  const found = netlink.listAddresses().find(({ ifindex, family }) => ifindex === index && family === 4);
  return found && `${found.address}/${found.prefixLength}`;
}
