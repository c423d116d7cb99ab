/** A container's network namespace: made, opened, let go of. Synchronous. */
import { existsSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { createPinnedNetns, inNetns, removePinnedNetns } from '@wharf/linux/namespaces';
import { Netlink } from '@wharf/linux/netlink';
import { type IdMapping, pinUserAndNetwork } from '@wharf/linux/user-namespace';
import { setSysctl } from './bridge.ts';
import type { LiveEndpoint } from './network.ts';

const IPV6_DEFAULTS = '/proc/sys/net/ipv6/conf/default';

/** Where the user namespace that owns a network namespace is pinned, if it is not the daemon's own. */
export function userNamespacePath(networkPath: string): string {
  return join(dirname(dirname(networkPath)), 'userns', basename(networkPath));
}

/**
 * Makes a namespace pinned at `path` and returns a session in it; what an earlier run left there is removed.
 * With `owner` it belongs to a new user namespace of that mapping (`userNamespacePath`), whose root may configure it.
 */
export function createSandbox(path: string, owner?: IdMapping): Netlink {
  destroySandbox(path);
  const open = (): Netlink => {
    // Interfaces to come get no IPv6 address unless their network has it; the loopback keeps ::1.
    setFresh(`${IPV6_DEFAULTS}/disable_ipv6`, '1');
    // A link that comes up tells its neighbours where its addresses are now.
    setFresh('/proc/sys/net/ipv4/conf/default/arp_notify', '1');
    setFresh(`${IPV6_DEFAULTS}/ndisc_notify`, '1');
    // Addresses are given out once; waiting a second whether somebody else has one is for nothing.
    setFresh(`${IPV6_DEFAULTS}/accept_dad`, '0');
    return Netlink.open();
  };
  if (owner !== undefined) {
    pinUserAndNetwork(owner, { user: userNamespacePath(path), network: path });
    return inNetns(path, open);
  }
  const inside = createPinnedNetns(path, open);
  if (!inside) throw new Error('unreachable: createPinnedNetns returns what its callback does');
  return inside;
}

/** Writes a switch that is known to have another value; one that this kernel lacks is left out. */
function setFresh(path: string, value: string): void {
  try {
    writeFileSync(path, value, { flag: 'r+' });
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
}

/** Prepares the namespace for the birth of an endpoint's link: what the link takes over from the namespace's defaults. */
export function expectLink(path: string, endpoint: LiveEndpoint): void {
  inNetns(path, () => {
    setSysctl(`${IPV6_DEFAULTS}/disable_ipv6`, endpoint.address6 === '' ? '1' : '0');
    // The route is given: another container of the network could else advertise itself as the router.
    const given = endpoint.address6 !== '' && (endpoint.gateway6 !== '' || endpoint.network.bridge !== undefined);
    setSysctl(`${IPV6_DEFAULTS}/accept_ra`, given ? '0' : '1');
  });
}

/** Sets the kernel switches that were asked for one link. Throws `invalid-argument` naming the one that cannot be. */
export function setLinkSysctls(path: string, endpoint: LiveEndpoint): void {
  if (endpoint.sysctls.length === 0) return;
  inNetns(path, () => {
    for (const sysctl of endpoint.sysctls) {
      const name = sysctl.path.replace('IFNAME', endpoint.ifname);
      try {
        writeFileSync(join('/proc/sys', name), sysctl.value);
      } catch (error) {
        throw new WharfError(
          'invalid-argument',
          `failed to set ${name.replaceAll('/', '.')}=${sysctl.value}: ${messageOf(error)}`,
          { cause: error },
        );
      }
    }
  });
}

/**
 * Lets go of a namespace. The kernel takes the links down with it in its own time, which saves us the 20 ms that deleting
 * one takes.
 */
export function destroySandbox(path: string): void {
  if (existsSync(path)) removePinnedNetns(path);
  const user = userNamespacePath(path);
  if (existsSync(user)) removePinnedNetns(user);
}
