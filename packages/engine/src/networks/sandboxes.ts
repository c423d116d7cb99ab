import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, type Logger, messageOf, TimeSlice, WharfError } from '@wharf/kit';
import { pinNetnsOf } from '@wharf/linux/namespaces';
import { Netlink } from '@wharf/linux/netlink';
import type { EndpointSettings } from '@wharf/wire/docker/types';
import type { ContainerRecord, NetworkEndpoint } from '../containers/container.ts';
import { enableForwarding } from './bridge.ts';
import { askedFor, dnsNamesOf, settingsInForce } from './endpoint-settings.ts';
import { Endpoints } from './endpoints.ts';
import { Exposure, filtered } from './exposure.ts';
import { interfaceByMac, type LiveContainer, LiveContainers, newLive, withRealNames } from './live-containers.ts';
import { spreadMtu } from './mtu.ts';
import { hasIPv6, hostLinkOf, isPlugged, type LiveEndpoint, type NetworkRecord } from './network.ts';
import type { NetworkBooks, NetworkConfig } from './network-books.ts';
import { ensureNetworkLinks, probeDriver, removeNetworkLinks, routeToShim } from './network-links.ts';
import { gatewayFamilies, moveDefaultRoutes, plug, unplug } from './plug.ts';
import { createSandbox, destroySandbox } from './sandbox.ts';
import { StaleLinks } from './stale-links.ts';

const FORWARD_DROPPED =
  'The firewall of this host drops forwarded packets: containers cannot be reached from other machines';

export interface SandboxesOptions {
  readonly books: NetworkBooks;
  readonly config: NetworkConfig;
  readonly netnsDir: string;
  readonly log: Logger;
  /** All containers there are, running or not. */
  readonly containers: () => Iterable<ContainerRecord>;
}

/** A container's place in the networks, and the record it is to have. */
interface Published {
  readonly live: LiveContainer;
  readonly record: ContainerRecord;
}

/**
 * The sandboxes that are up: what the books say about them and what the kernel holds for them are changed here, together.
 * All of it is synchronous, so no two changes ever mix.
 */
export class Sandboxes {
  readonly live = new LiveContainers();
  readonly #books: NetworkBooks;
  readonly #netnsDir: string;
  readonly #log: Logger;
  readonly #exposure: Exposure;
  readonly #endpoints: Endpoints;
  readonly #stale: StaleLinks;
  /** Ids of the networks whose links and rules are known to be there. */
  readonly #ready = new Set<string>();
  #host: Netlink | undefined;
  /** Namespaces made ahead of `setUp`, nothing in them yet, with a session in each; by container. */
  readonly #prepared = new Map<string, Netlink>();

  constructor(options: SandboxesOptions) {
    this.#books = options.books;
    this.#netnsDir = options.netnsDir;
    this.#log = options.log;
    this.#exposure = new Exposure({ config: options.config, log: options.log });
    this.#endpoints = new Endpoints(options.books, this.live, options.containers);
    this.#stale = new StaleLinks(options.log, () => this.#netlink());
  }

  netnsPath(containerId: string): string {
    return join(this.#netnsDir, containerId);
  }

  /** Makes the links and the rules of a network unless they are known to be there. */
  ensureNetwork(network: NetworkRecord): void {
    if ((!network.bridge && !network.parent) || this.#ready.has(network.id)) return;
    ensureNetworkLinks(this.#netlink(), network);
    if (network.bridge) this.#exposure.filter.addNetwork(filtered(network));
    this.#ready.add(network.id);
  }

  /** As `ensureNetwork`, after seeing that the kernel can do what the network is. */
  makeNetwork(network: NetworkRecord): void {
    this.ensureNetwork(network);
    probeDriver(this.#netlink(), network);
  }

  removeNetwork(network: NetworkRecord): void {
    this.#ready.delete(network.id);
    if (network.bridge) this.#exposure.filter.removeNetwork(network.bridge.name);
    const others = this.#books.list().filter(({ id }) => id !== network.id);
    removeNetworkLinks(this.#netlink(), network, { others, log: this.#log });
    this.#closeNetlink();
  }

  /** The links of a network are not what they should be: they are made anew when needed, or now. */
  repairNetwork(network: NetworkRecord): void {
    this.#closeNetlink();
    this.#ready.delete(network.id);
    this.ensureNetwork(network);
  }

  /** Makes the namespace that `setUp` will fill, and returns where it is pinned. `tearDown` undoes it. */
  prepare({ id: containerId, userNamespace }: ContainerRecord): string {
    this.tearDown(containerId);
    const path = this.netnsPath(containerId);
    this.#prepared.set(containerId, createSandbox(path, userNamespace));
    return path;
  }

  /** Brings up a container's network, in the prepared namespace if there is one. On an error everything made is undone. */
  setUp(record: ContainerRecord, options: { readonly ownNamespace: boolean }): LiveContainer {
    if (!this.#prepared.has(record.id)) this.tearDown(record.id);
    const live = newLive(record, options.ownNamespace ? this.netnsPath(record.id) : undefined);
    this.live.set(live);
    try {
      for (const { networkName: network, networkId: id, settings } of record.endpoints)
        this.#endpoints.add(live, { network, id, settings });
      if (live.netnsPath !== undefined) this.#raise(live, live.netnsPath);
      this.#exposure.refresh(live, { fresh: true });
      return live;
    } catch (error) {
      this.tearDown(record.id);
      throw error;
    }
  }

  /** Takes down what is up for a container, also what only the kernel knows of. Returns the endpoints it had. */
  tearDown(containerId: string): readonly LiveEndpoint[] {
    const live = this.live.get(containerId);
    this.live.delete(containerId);
    if (live) this.#exposure.withdraw(live);
    if (live) this.#freeParents(live);
    for (const endpoint of live?.endpoints ?? []) this.#release(endpoint);
    const path = this.netnsPath(containerId);
    this.#prepared.get(containerId)?.close();
    this.#prepared.delete(containerId);
    if (live ? live.netnsPath !== undefined : existsSync(path)) destroySandbox(path);
    for (const { network, endpointId } of live?.endpoints ?? [])
      if (network.bridge) this.#stale.sweepLater(hostLinkOf(endpointId));
    return live?.endpoints ?? [];
  }

  /** Plugs a running container into one more network. */
  connect(live: LiveContainer, network: NetworkRecord, settings: EndpointSettings): LiveEndpoint {
    const before = [...live.endpoints];
    if (live.netnsPath === undefined)
      throw new WharfError('internal', `Cannot connect "${live.record.name}": it has no network of its own`);
    using inside = Netlink.openIn(live.netnsPath);
    const taken = inside.listLinks().map(({ name }) => name);
    const endpoint = this.#endpoints.add(live, { network: network.name, id: network.id, settings }, taken);
    try {
      if (isPlugged(endpoint)) this.#plug(live, inside, live.netnsPath, endpoint, { connecting: true });
      moveDefaultRoutes(inside, before, live.endpoints);
      this.#exposure.refresh(live, { fresh: false });
      return endpoint;
    } catch (error) {
      const after = live.endpoints;
      live.endpoints = before;
      unplug(inside, endpoint);
      moveDefaultRoutes(inside, after, before);
      this.#release(endpoint);
      throw error;
    }
  }

  /** Unplugs a running container from a network. */
  disconnect(live: LiveContainer, endpoint: LiveEndpoint): void {
    const before = live.endpoints;
    live.endpoints = before.filter((other) => other !== endpoint);
    if (live.netnsPath !== undefined && isPlugged(endpoint)) {
      using inside = Netlink.openIn(live.netnsPath);
      const ifname = endpoint.mac === '' ? '' : interfaceByMac(inside, endpoint.mac);
      unplug(inside, { ...endpoint, ifname: ifname || endpoint.ifname });
      try {
        moveDefaultRoutes(inside, before, live.endpoints);
      } catch (error) {
        // The container may have taken the other link down: that is no reason to keep it on this network.
        this.#log.warn({ container: live.id, err: messageOf(error) }, 'No default route leads out of a container');
      }
    }
    this.#release(endpoint);
    this.#exposure.refresh(live, { fresh: false });
  }

  /** Makes a link anew that somebody has removed: same name, same addresses. */
  replug(live: LiveContainer, endpoint: LiveEndpoint): void {
    if (live.netnsPath === undefined || !isPlugged(endpoint)) return;
    this.#closeNetlink();
    using inside = Netlink.openIn(live.netnsPath);
    unplug(inside, endpoint);
    this.#plug(live, inside, live.netnsPath, endpoint, { connecting: false });
  }

  /** A network has another MTU: its bridge and all links on it get it. */
  changeMtu(network: NetworkRecord): void {
    if (!network.bridge) return;
    const netlink = this.#netlink();
    spreadMtu(netlink, network, { live: this.live.all(), log: this.#log });
    if (this.#ready.has(network.id)) netlink.setMtu(network.bridge.name, network.bridge.mtu);
  }

  rename(record: ContainerRecord): void {
    const live = this.live.get(record.id);
    if (!live) return;
    live.record = record;
    const renamed = live.endpoints.map((endpoint) => ({
      ...endpoint,
      containerName: record.name,
      dnsNames: dnsNamesOf(record, aliasesOf(record, endpoint)),
    }));
    this.#exposure.renamed(live, renamed);
  }

  /** Names that others have too lead to this container, or pass it by. */
  avoid(containerId: string, avoided: boolean): void {
    const live = this.live.get(containerId);
    if (!live || live.avoided === avoided) return;
    live.avoided = avoided;
    this.#exposure.rename(live);
  }

  /** Publishes what the record asks for now. On an error what was published stays. */
  republish(live: LiveContainer, record: ContainerRecord): void {
    const before = live.record;
    live.record = record;
    try {
      this.#exposure.republish(live);
    } catch (error) {
      live.record = before;
      throw error;
    }
  }

  /** Published ports go from one container to another. On an error all is as it was. */
  handOver(from: Published, to: Published): void {
    const before = [from.live.record, to.live.record] as const;
    from.live.record = from.record;
    to.live.record = to.record;
    try {
      this.#exposure.handOver(from.live, to.live);
    } catch (error) {
      [from.live.record, to.live.record] = before;
      throw error;
    }
  }

  /** `NetworkSettings.Ports`. */
  portsOf(live: LiveContainer): ContainerRecord['ports'] {
    return this.#exposure.portsOf(live);
  }

  /** The endpoints in force, in the record's order, with what was asked for. */
  endpointsOf(live: LiveContainer): NetworkEndpoint[] {
    return live.endpoints.map((endpoint) => {
      const asked = live.record.endpoints.find(
        ({ networkId, networkName }) => networkId === endpoint.network.id || networkName === endpoint.network.name,
      );
      return {
        networkName: endpoint.network.name,
        networkId: endpoint.network.id,
        settings: settingsInForce(askedFor(asked?.settings ?? {}), endpoint),
      };
    });
  }

  /**
   * Takes running containers back into the books and clears away what belongs to none. In slices: until it is done, nothing else may change
   * here.
   */
  async restore(running: readonly ContainerRecord[]): Promise<void> {
    for (const network of this.#books.list()) this.#restoreNetwork(network);
    enableForwarding({ ipv6: this.#books.list().some(hasIPv6) });
    const slice = new TimeSlice();
    for (const record of running) {
      await slice.turn();
      try {
        this.#adopt(record);
      } catch (error) {
        this.#log.error(
          { container: record.id, error: messageOf(error) },
          'Cannot take the container back into the network books',
        );
      }
    }
    if (this.#ready.size > 0) {
      this.#exposure.filter.rebuild();
      for (const { family, table, chain, hint } of this.#exposure.filter.hostBlocks())
        this.#log.warn({ chain: `${family} ${table} ${chain}`, hint }, FORWARD_DROPPED);
    }
    this.#stale.clear({ live: this.live, netnsDir: this.#netnsDir, networks: this.#books.list() });
  }

  /** Puts the rules back if somebody has flushed them. */
  ensureRules(): void {
    this.#exposure.filter.ensure();
  }

  close(): void {
    for (const { held } of this.live.all()) for (const port of held) port.close();
    for (const inside of this.#prepared.values()) inside.close();
    this.#stale.close();
    this.#exposure.close();
    this.#closeNetlink();
  }

  /** A network whose links cannot be made now (its parent is not there yet) is made when a container needs it. */
  #restoreNetwork(network: NetworkRecord): void {
    if (!network.bridge && !network.parent) return;
    try {
      ensureNetworkLinks(this.#netlink(), network);
      this.#ready.add(network.id);
    } catch (error) {
      this.#log.error({ network: network.name, error: messageOf(error) }, 'Cannot bring up the network');
    }
    if (network.bridge) this.#exposure.filter.load([filtered(network)]);
  }

  #raise(live: LiveContainer, path: string): void {
    using inside = this.#prepared.get(live.id) ?? createSandbox(path, live.record.userNamespace);
    this.#prepared.delete(live.id);
    const plugged = live.endpoints.filter(isPlugged);
    if (plugged.length === 0) inside.setUp('lo');
    for (const [index, endpoint] of plugged.entries())
      this.#plug(live, inside, path, endpoint, { connecting: false, untouched: index === 0 });
  }

  #plug(
    live: LiveContainer,
    inside: Netlink,
    netnsPath: string,
    endpoint: LiveEndpoint,
    options: { readonly connecting: boolean; readonly untouched?: boolean },
  ): void {
    const { network } = endpoint;
    this.ensureNetwork(network);
    const attempt = (): void =>
      plug({
        host: this.#netlink(),
        inside,
        netnsPath,
        endpoint,
        // Those of a running container are moved when all is there.
        gatewayFor: options.connecting ? [] : gatewayFamilies(live.endpoints, endpoint),
        first: !options.connecting,
        untouched: options.untouched === true,
      });
    try {
      attempt();
    } catch (error) {
      // Somebody removed the bridge, or made it anew under another index: once more from the ground.
      if (!hasErrno(error, 'ENODEV', 'EINVAL')) throw error;
      this.repairNetwork(network);
      attempt();
    }
    routeToShim(this.#netlink(), network, endpoint.address, 'add');
  }

  /** The kernel removes links in its own time, but a parent has one link of a MAC address, and the next may be about to come. */
  #freeParents({ id, endpoints, netnsPath }: LiveContainer): void {
    const upper = endpoints.filter(({ network }) => network.parent !== undefined);
    if (upper.length === 0 || netnsPath === undefined || !existsSync(netnsPath)) return;
    try {
      using inside = Netlink.openIn(netnsPath);
      for (const endpoint of upper) unplug(inside, endpoint);
    } catch (error) {
      this.#log.warn({ container: id, error: messageOf(error) }, 'Cannot remove the links of a container');
    }
  }

  #release(endpoint: LiveEndpoint): void {
    this.#exposure.forgetNames(endpoint);
    this.#endpoints.release(endpoint);
    if (endpoint.network.parent?.hostAddress !== undefined)
      routeToShim(this.#netlink(), endpoint.network, endpoint.address, 'remove');
  }

  #adopt(record: ContainerRecord): void {
    const connected = record.endpoints.filter(({ settings }) => (settings.EndpointID ?? '') !== '');
    const path = this.netnsPath(record.id);
    const ownNamespace = connected.some(({ networkName }) => networkName !== 'host');
    if (!ownNamespace && connected.length === 0) return;
    if (ownNamespace) pinNetnsOf(record.state.pid, path);
    const live = newLive(record, ownNamespace ? path : undefined);
    for (const { networkId, settings } of connected) {
      const network = this.#books.find(networkId);
      if (network) live.endpoints = [...live.endpoints, this.#endpoints.adopt(live, network, settings)];
    }
    if (live.netnsPath !== undefined) live.endpoints = withRealNames(live.endpoints, live.netnsPath);
    live.avoided = live.avoided && record.state.health?.status !== 'healthy';
    this.live.set(live);
    for (const { network, address } of live.endpoints)
      if (network.parent?.hostAddress !== undefined) routeToShim(this.#netlink(), network, address, 'add');
    this.#exposure.adopt(live);
  }

  #netlink(): Netlink {
    this.#host ??= Netlink.open();
    return this.#host;
  }

  #closeNetlink(): void {
    this.#host?.close();
    this.#host = undefined;
  }
}

function aliasesOf(record: ContainerRecord, endpoint: LiveEndpoint): readonly string[] {
  return record.endpoints.find(({ networkId }) => networkId === endpoint.network.id)?.settings.Aliases ?? [];
}
