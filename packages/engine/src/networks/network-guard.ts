import { type Logger, messageOf } from '@wharf/kit';
import { Netlink } from '@wharf/linux/netlink';
import { NetlinkMonitor, type NetworkChange } from '@wharf/linux/netlink/monitor';
import { type BridgeNetwork, bridgeAddresses } from './bridge.ts';
import { uplinkOf } from './host-network.ts';
import { GUARD_SETTLE_MS } from './limits.ts';
import type { LiveContainer } from './live-containers.ts';
import { hostLinkOf, type LiveEndpoint, type NetworkRecord } from './network.ts';
import type { NetworkBooks } from './network-books.ts';
import type { Sandboxes } from './sandboxes.ts';
import { overlaps, parseCidr } from './subnet.ts';

const MAIN_TABLE = 254;

/**
 * Watches what becomes of our links, addresses and routes, and puts right what others break.
 * - The kernel tells of every change, ours included. One that could concern us is only noted; some time later, when all is at
 *   rest, what is noted is looked at, and repaired if it is wrong then.
 * - Nothing of a network or container that was not touched is changed.
 */
export class NetworkGuard {
  readonly #books: NetworkBooks;
  readonly #sandboxes: Sandboxes;
  readonly #log: Logger;
  /** Names of our bridges to look at. */
  readonly #bridges = new Set<string>();
  /** Names of containers' links on the host to look at. */
  readonly #links = new Set<string>();
  /** Indexes of our bridges, as the kernel's messages name them. */
  readonly #indexes = new Map<number, string>();
  /** Index of the link that leads out of this host. */
  #uplink = 0;
  #all = false;
  #mtu = false;
  #monitor: NetlinkMonitor | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: { readonly books: NetworkBooks; readonly sandboxes: Sandboxes; readonly log: Logger }) {
    this.#books = options.books;
    this.#sandboxes = options.sandboxes;
    this.#log = options.log;
  }

  /** Begins to watch. Without netlink's multicasts nothing is noticed, and that is logged. */
  start(): void {
    if (this.#monitor) return;
    try {
      this.#monitor = new NetlinkMonitor((change) => this.#note(change));
      using netlink = Netlink.open();
      for (const { name, index } of netlink.listLinks()) if (this.#bridgeNamed(name)) this.#indexes.set(index, name);
      this.#followUplink();
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'Cannot watch the links of this host');
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#monitor?.close();
    this.#monitor = undefined;
  }

  #note(change: NetworkChange): void {
    switch (change.kind) {
      case 'lost':
        this.#all = true;
        break;
      case 'link':
        if (!this.#noteLink(change.link, change.gone)) return;
        break;
      case 'address': {
        const bridge = this.#indexes.get(change.address.ifindex);
        if (!change.gone || bridge === undefined) return;
        this.#bridges.add(bridge);
        break;
      }
      case 'route':
        if (change.route.table !== MAIN_TABLE) return;
        if (change.route.destination === 'default') this.#mtu = true;
        else if (change.gone || this.#indexes.has(change.route.ifindex)) return;
        else this.#warnOfOverlap(change.route.destination);
        break;
    }
    this.#timer ??= setTimeout(() => this.#look(), GUARD_SETTLE_MS).unref();
  }

  /** True when the change may concern us. */
  #noteLink(
    link: {
      readonly name: string;
      readonly index: number;
      readonly up: boolean;
      readonly master: number;
      readonly kind: string;
    },
    gone: boolean,
  ): boolean {
    const { name, index } = link;
    if (name.startsWith('veth')) {
      if (!gone && link.up && link.master !== 0) return false;
      if (!this.#endpointOf(name)) return false;
      this.#links.add(name);
      return true;
    }
    const bridge = this.#bridgeNamed(name);
    if (!bridge) {
      // It may be of another size.
      this.#mtu ||= index === this.#uplink;
      return this.#mtu;
    }
    if (gone) this.#indexes.delete(index);
    else this.#indexes.set(index, name);
    if (!gone && link.up) return false;
    this.#bridges.add(name);
    return true;
  }

  #look(): void {
    this.#timer = undefined;
    const all = this.#all;
    const bridges = all ? this.#allBridges() : [...this.#bridges];
    const links = all ? this.#allLinks() : [...this.#links];
    const mtu = this.#mtu || all;
    this.#all = false;
    this.#mtu = false;
    this.#bridges.clear();
    this.#links.clear();
    for (const name of bridges) this.#repair('bridge', name, () => this.#lookAtBridge(name));
    for (const name of links) this.#repair('link', name, () => this.#lookAtLink(name));
    if (mtu) this.#repair('mtu', '', () => this.#followUplink());
  }

  #repair(what: string, name: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#log.error({ what, name, error: messageOf(error) }, 'Cannot repair a network that somebody changed');
    }
  }

  #lookAtBridge(name: string): void {
    const network = this.#bridgeNamed(name);
    if (!network) return;
    using netlink = Netlink.open();
    const link = netlink.findLink(name);
    if (link?.up === true) {
      const there = netlink.listAddresses().filter(({ ifindex }) => ifindex === link.index);
      const missing = bridgeAddresses(network).filter(
        (wanted) => !there.some(({ address, prefixLength }) => wanted === `${address}/${prefixLength}`),
      );
      if (missing.length === 0) return;
    }
    this.#log.warn({ network: network.name, bridge: name }, 'A bridge was changed by somebody and is put right');
    this.#sandboxes.repairNetwork(network);
    const index = netlink.findLink(name)?.index;
    if (index !== undefined) this.#indexes.set(index, name);
    for (const { endpointId } of this.#sandboxes.live.endpointsOf(network.id)) this.#lookAtLink(hostLinkOf(endpointId));
  }

  #lookAtLink(name: string): void {
    const found = this.#endpointOf(name);
    if (!found) return;
    const { live, endpoint } = found;
    const bridge = endpoint.network.bridge?.name;
    if (bridge === undefined) return;
    using netlink = Netlink.open();
    const link = netlink.findLink(name);
    const master = netlink.findLink(bridge)?.index;
    if (link?.up === true && link.master === master) return;
    const facts = { container: live.id, network: endpoint.network.name, link: name };
    this.#log.warn(facts, 'The link of a container was changed by somebody and is put right');
    if (!link) {
      this.#sandboxes.replug(live, endpoint);
      return;
    }
    if (link.master !== master) netlink.setMaster(name, bridge);
    netlink.setUp(name);
  }

  /** Networks whose MTU nobody set have the uplink's. */
  #followUplink(): void {
    using netlink = Netlink.open();
    const { index, mtu } = uplinkOf(netlink);
    this.#uplink = index;
    for (const network of this.#books.list()) {
      if (network.bridge?.mtuFollows !== true || network.bridge.mtu === mtu) continue;
      this.#log.info({ network: network.name, from: network.bridge.mtu, to: mtu }, 'The MTU follows the uplink');
      this.#sandboxes.changeMtu(this.#books.withMtu(network, mtu));
    }
  }

  #warnOfOverlap(destination: string): void {
    const route = parseCidr(destination)?.subnet;
    if (!route) return;
    for (const network of this.#books.list()) {
      for (const { subnet } of [...network.ipv4, ...network.ipv6]) {
        const own = parseCidr(subnet)?.subnet;
        if (!own || !overlaps(own, route)) continue;
        // A macvlan shares the subnet of its parent, and one route to each container is ours.
        if (network.parent) continue;
        this.#log.warn(
          { network: network.name, subnet, route: destination },
          'A route of this host collides with a network: one of the two cannot be reached',
        );
      }
    }
  }

  #bridgeNamed(name: string): BridgeNetwork | undefined {
    const found = this.#books.list().find(({ bridge }) => bridge?.name === name);
    return found as BridgeNetwork | undefined;
  }

  #endpointOf(link: string): { live: LiveContainer; endpoint: LiveEndpoint } | undefined {
    for (const live of this.#sandboxes.live.all()) {
      const endpoint = live.endpoints.find(({ endpointId }) => hostLinkOf(endpointId) === link);
      if (endpoint) return { live, endpoint };
    }
    return undefined;
  }

  #allBridges(): string[] {
    return this.#books.list().flatMap(({ bridge }: NetworkRecord) => bridge?.name ?? []);
  }

  #allLinks(): string[] {
    return this.#sandboxes.live
      .all()
      .flatMap(({ endpoints }) => endpoints.map(({ endpointId }) => hostLinkOf(endpointId)));
  }
}
