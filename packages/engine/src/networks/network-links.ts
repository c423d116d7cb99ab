import { hasErrno, type Logger, messageOf, WharfError } from '@wharf/kit';
import type { Netlink } from '@wharf/linux/netlink';
import { type BridgeNetwork, enableForwarding, ensureBridge, removeBridge } from './bridge.ts';
import { hasIPv6, type NetworkRecord, type ParentSettings } from './network.ts';
import { shimName, standInName } from './parent-options.ts';
import { unsupported } from './plug.ts';

/** Makes the links of a network on this host: a bridge, or the parent that containers' links sit on. Idempotent. */
export function ensureNetworkLinks(host: Netlink, network: NetworkRecord): void {
  if (network.bridge) {
    ensureBridge(host, network as BridgeNetwork);
    enableForwarding({ ipv6: hasIPv6(network) });
  } else if (network.parent) {
    ensureParent(host, network, network.parent);
    if (network.parent.hostAddress !== undefined) ensureShim(host, network, network.parent);
  }
}

/** Removes what `ensureNetworkLinks` made; `others` are the networks that stay. Idempotent. */
export function removeNetworkLinks(
  host: Netlink,
  network: NetworkRecord,
  options: { readonly others: readonly NetworkRecord[]; readonly log: Logger },
): void {
  const { bridge, parent } = network;
  if (bridge && bridge.foreign !== true) removeBridge(host, bridge.name);
  if (!parent) return;
  const names = parent.hostAddress === undefined ? [] : [shimName(network.id)];
  const shared = options.others.some((other) => other.parent?.name === parent.name);
  if (parent.made && !shared) names.push(parent.name);
  for (const name of names) {
    try {
      host.deleteLink(name);
    } catch (error) {
      if (!hasErrno(error, 'ENODEV'))
        options.log.warn({ link: name, error: messageOf(error) }, 'Cannot remove a link of a network');
    }
  }
}

function ensureParent(host: Netlink, network: NetworkRecord, parent: ParentSettings): void {
  const link = host.findLink(parent.name);
  if (link) {
    // A VLAN link of ours may have been put down with its own parent.
    if (parent.made && !link.up) host.setUp(parent.name);
    return;
  }
  if (!parent.made)
    throw new WharfError(
      'failed-precondition',
      `Cannot use network "${network.name}": its parent link "${parent.name}" is not on this host`,
    );
  if (parent.name === standInName(network.id)) makeStandIn(host, parent);
  else makeVlan(host, parent.name);
}

/** A link that leads nowhere. Where the kernel has no dummy links, one end of a veth pair does. */
function makeStandIn(host: Netlink, parent: ParentSettings): void {
  const settings = { mtu: parent.mtu, up: true };
  try {
    host.createLink(parent.name, 'dummy', settings);
  } catch (error) {
    if (!hasErrno(error, 'EOPNOTSUPP', 'ENOTSUP')) throw error;
    const far = parent.name.replace(/^dm-/, 'dp-');
    host.createVeth({ name: parent.name, peer: far, ...settings });
    host.setUp(far);
  }
}

/** `eth0.10`: the VLAN of that number on eth0. Throws in Docker's words. */
function makeVlan(host: Netlink, name: string): void {
  const refuse = (message: string): WharfError => new WharfError('invalid-argument', message);
  const [below = '', number = '', ...rest] = name.split('.');
  if (!name.includes('.')) throw refuse(`invalid subinterface vlan name ${name}, example formatting is eth0.10`);
  if (rest.length > 0)
    throw refuse(`required interface name format is: name.vlan_id, ex. eth0.10 for vlan 10, instead received ${name}`);
  if (!/^\d+$/.test(number)) throw refuse(`unable to parse a valid vlan id from: ${number} (ex. eth0.10 for vlan 10)`);
  const id = Number(number);
  if (!host.findLink(below)) throw refuse(`-o parent interface was not found on the host: ${below}`);
  if (id < 1 || id > 4094) throw refuse(`vlan id must be between 1-4094, received: ${id}`);
  try {
    host.createUpperLink({ name, parent: below, type: { kind: 'vlan', id }, up: true });
  } catch (error) {
    if (hasErrno(error, 'EOPNOTSUPP', 'ENOTSUP')) throw unsupported('vlan');
    throw error;
  }
}

/** The host's own link in the network: containers of a macvlan are reached by way of it, one route each. */
function ensureShim(host: Netlink, network: NetworkRecord, parent: ParentSettings): void {
  const name = shimName(network.id);
  if (!host.findLink(name)) {
    host.createUpperLink({
      name,
      parent: parent.name,
      type: { kind: 'macvlan', mode: 'bridge' },
      mtu: parent.mtu,
    });
  }
  host.addAddresses(name, [`${parent.hostAddress}/32`]);
  host.setUp(name);
}

/** Leads this host's packets for a container through the shim, or no longer. Idempotent. */
export function routeToShim(host: Netlink, network: NetworkRecord, address: string, verb: 'add' | 'remove'): void {
  const src = network.parent?.hostAddress;
  if (src === undefined || address === '') return;
  const route = { dst: `${address}/32`, ifname: shimName(network.id), src };
  if (verb === 'add') {
    host.replaceRoute(route);
    return;
  }
  try {
    host.deleteRoute(route);
  } catch (error) {
    if (!hasErrno(error, 'ESRCH', 'ENODEV')) throw error;
  }
}

/** Tries whether the kernel has links of that driver, by one that is gone at once. Throws `not-implemented`. */
export function probeDriver(host: Netlink, network: NetworkRecord): void {
  const { driver, parent } = network;
  if (!parent || driver !== 'ipvlan') return;
  const name = `wp-${network.id.slice(0, 12)}`;
  try {
    host.createUpperLink({ name, parent: parent.name, type: { kind: 'ipvlan', mode: 'l2', flag: 'bridge' } });
    host.deleteLink(name);
  } catch (error) {
    if (hasErrno(error, 'EOPNOTSUPP', 'ENOTSUP')) throw unsupported(driver);
    // A parent that macvlan links sit on takes no ipvlan ones meanwhile: that is told when a container starts.
    if (!hasErrno(error, 'EBUSY')) throw error;
  }
}
