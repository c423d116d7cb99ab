import { type Logger, messageOf } from '@wharf/kit';
import { Netlink } from '@wharf/linux/netlink';
import { interfaceByMac, type LiveContainer } from './live-containers.ts';
import { hostLinkOf, type NetworkRecord } from './network.ts';

/** Gives the links of running containers their network's MTU, both ends of each; one that cannot be changed is logged. */
export function spreadMtu(
  host: Netlink,
  network: NetworkRecord,
  options: { readonly live: readonly LiveContainer[]; readonly log: Logger },
): void {
  const mtu = network.bridge?.mtu ?? 0;
  for (const live of options.live) {
    live.endpoints = live.endpoints.map((endpoint) =>
      endpoint.network.id === network.id ? { ...endpoint, network } : endpoint,
    );
    const endpoint = live.endpoints.find((candidate) => candidate.network.id === network.id);
    if (!endpoint || live.netnsPath === undefined) continue;
    try {
      host.setMtu(hostLinkOf(endpoint.endpointId), mtu);
      using inside = Netlink.openIn(live.netnsPath);
      inside.setMtu(interfaceByMac(inside, endpoint.mac) || endpoint.ifname, mtu);
    } catch (error) {
      options.log.warn({ container: live.id, error: messageOf(error) }, 'Cannot change the MTU of a container');
    }
  }
}
