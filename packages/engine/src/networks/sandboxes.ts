import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, isKind, type Logger, messageOf, newId, WharfError } from '@wharf/kit';
import { pinNetnsOf } from '@wharf/linux/namespaces';
import { Netlink } from '@wharf/linux/netlink';
import { networkGone, TEMPLATE_HAS_NO_ENDPOINTS } from '@wharf/wire/docker/messages';
import type { EndpointSettings } from '@wharf/wire/docker/types';
import type { ContainerRecord, NetworkEndpoint } from '../containers/container.ts';
import { enableForwarding, ensureBridge, removeBridge } from './bridge.ts';
import { askedFor, dnsNamesOf, gatewayEndpoint, settingsInForce } from './endpoint-settings.ts';
import { Exposure, filtered } from './exposure.ts';
import { interfaceByMac, type LiveContainer, LiveContainers, nextInterface } from './live-containers.ts';
import { hostLinkOf, type LiveEndpoint, macOf, type NetworkRecord } from './network.ts';
import type { NetworkBooks, NetworkConfig } from './network-books.ts';
import { attach, createSandbox, destroySandbox, detach, setDefaultRoute } from './sandbox.ts';

/** When links that should have gone by themselves are looked for. */
const SWEEP_MS = 1000;
const FORWARD_DROPPED =
  'The firewall of this host drops forwarded packets: containers cannot be reached from other machines';
const FORWARD_HINT =
  'iptables -I DOCKER-USER -i BRIDGE -j ACCEPT; iptables -I DOCKER-USER -o BRIDGE -j ACCEPT (or in FORWARD)';
const IFNAME_OPTION = 'com.docker.network.endpoint.ifname';

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
  /** Ids of the networks whose bridge and rules are known to be there. */
  readonly #ready = new Set<string>();
  #host: Netlink | undefined;
  /** Namespaces made ahead of `setUp`, nothing in them yet, with a session in each; by container. */
  readonly #prepared = new Map<string, Netlink>();
  /** Links on the host whose sandboxes were let go of. */
  readonly #leaving = new Set<string>();
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: {
    readonly books: NetworkBooks;
    readonly config: NetworkConfig;
    readonly netnsDir: string;
    readonly log: Logger;
  }) {
    this.#books = options.books;
    this.#netnsDir = options.netnsDir;
    this.#log = options.log;
    this.#exposure = new Exposure({ config: options.config, log: options.log });
  }

  netnsPath(containerId: string): string {
    return join(this.#netnsDir, containerId);
  }

  /** Makes the bridge and the rules of a network unless they are known to be there. */
  ensureNetwork(network: NetworkRecord): void {
    if (!network.bridge || this.#ready.has(network.id)) return;
    ensureBridge(this.#netlink(), network.bridge);
    enableForwarding();
    this.#exposure.filter.addNetwork(filtered(network));
    this.#ready.add(network.id);
  }

  removeNetwork(network: NetworkRecord): void {
    if (!network.bridge) return;
    this.#ready.delete(network.id);
    this.#exposure.filter.removeNetwork(network.bridge.name);
    removeBridge(this.#netlink(), network.bridge.name);
    this.#closeNetlink();
  }

  /** Makes the namespace that `setUp` will fill, and returns where it is pinned. `tearDown` undoes it. */
  prepare(containerId: string): string {
    this.tearDown(containerId);
    const path = this.netnsPath(containerId);
    this.#prepared.set(containerId, createSandbox(path));
    return path;
  }

  /** Brings up a container's network, in the prepared namespace if there is one. On an error everything made is undone. */
  setUp(record: ContainerRecord, options: { readonly ownNamespace: boolean }): LiveContainer {
    if (!this.#prepared.has(record.id)) this.tearDown(record.id);
    const live: LiveContainer = {
      id: record.id,
      record,
      sandboxId: newId<'sandbox'>(),
      netnsPath: options.ownNamespace ? this.netnsPath(record.id) : undefined,
      endpoints: [],
      held: [],
      publishedTo: '',
    };
    this.live.set(live);
    try {
      for (const endpoint of record.endpoints)
        this.#addEndpoint(live, endpoint.networkName, endpoint.networkId, endpoint.settings);
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
    for (const endpoint of live?.endpoints ?? []) this.#release(endpoint);
    const path = this.netnsPath(containerId);
    this.#prepared.get(containerId)?.close();
    this.#prepared.delete(containerId);
    if (live ? live.netnsPath !== undefined : existsSync(path)) destroySandbox(path);
    for (const { address, endpointId } of live?.endpoints ?? [])
      if (address !== '') this.#sweepLater(hostLinkOf(endpointId));
    return live?.endpoints ?? [];
  }

  /** Plugs a running container into one more network. */
  connect(live: LiveContainer, network: NetworkRecord, settings: EndpointSettings): LiveEndpoint {
    const before = [...live.endpoints];
    if (live.netnsPath === undefined)
      throw new WharfError('internal', `Cannot connect "${live.record.name}": it has no network of its own`);
    using inside = Netlink.openIn(live.netnsPath);
    const taken = inside.listLinks().map(({ name }) => name);
    const endpoint = this.#addEndpoint(live, network.name, network.id, settings, taken);
    try {
      this.#attach(live, inside, live.netnsPath, endpoint, true);
      setDefaultRoute(inside, gatewayEndpoint(live.endpoints)?.network.bridge?.gateway);
      this.#exposure.refresh(live, { fresh: false });
      return endpoint;
    } catch (error) {
      live.endpoints = before;
      detach(inside, endpoint);
      this.#release(endpoint);
      throw error;
    }
  }

  /** Unplugs a running container from a network. */
  disconnect(live: LiveContainer, endpoint: LiveEndpoint): void {
    live.endpoints = live.endpoints.filter((other) => other !== endpoint);
    if (live.netnsPath !== undefined && endpoint.address !== '') {
      using inside = Netlink.openIn(live.netnsPath);
      detach(inside, { ...endpoint, ifname: interfaceByMac(inside, endpoint.mac) || endpoint.ifname });
      setDefaultRoute(inside, gatewayEndpoint(live.endpoints)?.network.bridge?.gateway);
    }
    this.#release(endpoint);
    this.#exposure.refresh(live, { fresh: false });
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

  /** Takes running containers back into the books and clears away what belongs to none. */
  restore(running: readonly ContainerRecord[]): void {
    for (const network of this.#books.list()) {
      if (!network.bridge) continue;
      ensureBridge(this.#netlink(), network.bridge);
      this.#exposure.filter.load([filtered(network)]);
      this.#ready.add(network.id);
    }
    enableForwarding();
    for (const record of running) {
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
      if (this.#exposure.filter.hostDropsForwarded()) this.#log.warn({ hint: FORWARD_HINT }, FORWARD_DROPPED);
    }
    this.#clearStale();
  }

  /** Puts the rules back if somebody has flushed them. */
  ensureRules(): void {
    this.#exposure.filter.ensure();
  }

  close(): void {
    for (const { held } of this.live.all()) for (const port of held) port.close();
    for (const inside of this.#prepared.values()) inside.close();
    clearTimeout(this.#sweep);
    this.#exposure.close();
    this.#closeNetlink();
  }

  #raise(live: LiveContainer, path: string): void {
    using inside = this.#prepared.get(live.id) ?? createSandbox(path);
    this.#prepared.delete(live.id);
    const plugged = live.endpoints.filter(({ address }) => address !== '');
    if (plugged.length === 0) inside.setUp('lo');
    for (const endpoint of plugged) this.#attach(live, inside, path, endpoint, false);
  }

  #attach(live: LiveContainer, inside: Netlink, netnsPath: string, endpoint: LiveEndpoint, connecting: boolean): void {
    const { network } = endpoint;
    if (!network.bridge) return;
    this.ensureNetwork(network);
    const plug = (): void =>
      attach({
        host: this.#netlink(),
        inside,
        netnsPath,
        endpoint,
        bridge: network.bridge as NonNullable<NetworkRecord['bridge']>,
        isGateway: connecting ? false : gatewayEndpoint(live.endpoints) === endpoint,
        first: !connecting && live.endpoints[0] === endpoint,
      });
    try {
      plug();
    } catch (error) {
      // Somebody removed the bridge, or made it anew under another index: once more from the ground.
      if (!hasErrno(error, 'ENODEV', 'EINVAL')) throw error;
      this.#closeNetlink();
      this.#ready.delete(network.id);
      this.ensureNetwork(network);
      plug();
    }
  }

  #addEndpoint(
    live: LiveContainer,
    name: string,
    id: string,
    settings: EndpointSettings,
    taken: readonly string[] = [],
  ): LiveEndpoint {
    const network = this.#networkOf(name, id);
    if (network.configOnly === true) throw new WharfError('permission-denied', TEMPLATE_HAS_NO_ENDPOINTS);
    const { record } = live;
    const asked = askedFor(settings);
    const address = network.bridge ? this.#takeAddress(network, asked) : '';
    const firstMac = live.endpoints.length === 0 ? record.config.MacAddress : undefined;
    const endpoint: LiveEndpoint = {
      endpointId: newId<'endpoint'>(),
      network,
      containerId: record.id,
      containerName: record.name,
      ifname: address === '' ? '' : nextInterface(live.endpoints, taken, asked.DriverOpts?.[IFNAME_OPTION]),
      address,
      prefixLength: network.bridge ? Number(network.bridge.subnet.split('/')[1]) : 0,
      mac: address === '' ? '' : asked.MacAddress || firstMac || macOf(address),
      gatewayPriority: asked.GwPriority ?? 0,
      dnsNames: dnsNamesOf(record, asked.Aliases ?? []),
      links: asked.Links ?? [],
    };
    live.endpoints = [...live.endpoints, endpoint];
    return endpoint;
  }

  /** The network meant at create; when it was removed, the one that has its name now. */
  #networkOf(name: string, id: string): NetworkRecord {
    try {
      return this.#books.find(id) ?? this.#books.resolve(name);
    } catch (error) {
      if (!isKind(error, 'not-found')) throw error;
      throw new WharfError('not-found', networkGone(name), { cause: error });
    }
  }

  #takeAddress(network: NetworkRecord, asked: EndpointSettings): string {
    const pool = this.#books.pool(network);
    const wanted = asked.IPAMConfig?.IPv4Address ?? '';
    if (wanted === '') return pool.take();
    pool.takeExactly(wanted);
    return wanted;
  }

  #release(endpoint: LiveEndpoint): void {
    this.#exposure.forgetNames(endpoint);
    // The network may be gone already.
    if (endpoint.address !== '' && this.#books.find(endpoint.network.id))
      this.#books.pool(endpoint.network).release(endpoint.address);
  }

  #adopt(record: ContainerRecord): void {
    const connected = record.endpoints.filter(({ settings }) => (settings.EndpointID ?? '') !== '');
    const path = this.netnsPath(record.id);
    const ownNamespace = connected.some(({ networkName }) => networkName !== 'host');
    if (!ownNamespace && connected.length === 0) return;
    if (ownNamespace) pinNetnsOf(record.state.pid, path);
    const live: LiveContainer = {
      id: record.id,
      record,
      sandboxId: newId<'sandbox'>(),
      netnsPath: ownNamespace ? path : undefined,
      endpoints: [],
      held: [],
      publishedTo: '',
    };
    for (const { networkId, settings } of connected) {
      const network = this.#books.find(networkId);
      if (network) live.endpoints = [...live.endpoints, this.#adoptEndpoint(live, network, settings)];
    }
    this.live.set(live);
    this.#exposure.adopt(live);
  }

  #adoptEndpoint(live: LiveContainer, network: NetworkRecord, settings: EndpointSettings): LiveEndpoint {
    const address = settings.IPAddress ?? '';
    if (address !== '' && network.bridge && this.#books.pool(network).isFree(address))
      this.#books.pool(network).takeExactly(address);
    return {
      endpointId: settings.EndpointID ?? '',
      network,
      containerId: live.id,
      containerName: live.record.name,
      ifname: address === '' ? '' : nextInterface(live.endpoints, [], settings.DriverOpts?.[IFNAME_OPTION]),
      address,
      prefixLength: settings.IPPrefixLen ?? 0,
      mac: settings.MacAddress ?? '',
      gatewayPriority: settings.GwPriority ?? 0,
      dnsNames: dnsNamesOf(live.record, settings.Aliases ?? []),
      links: settings.Links ?? [],
    };
  }

  /** Removes namespaces and links that no running container has. */
  #clearStale(): void {
    const names = existsSync(this.#netnsDir) ? readdirSync(this.#netnsDir) : [];
    for (const id of names) if (!this.live.get(id)) destroySandbox(join(this.#netnsDir, id));
    const ours = new Set(
      this.live.all().flatMap(({ endpoints }) => endpoints.map(({ endpointId }) => hostLinkOf(endpointId))),
    );
    const netlink = this.#netlink();
    const bridges = new Set(this.#books.list().flatMap(({ bridge }) => (bridge ? [netlink.indexOf(bridge.name)] : [])));
    for (const link of netlink.listLinks()) {
      if (link.kind !== 'veth' || !bridges.has(link.master) || ours.has(link.name)) continue;
      this.#deleteLink(link.name);
    }
  }

  /** The kernel removes a link with its namespace, unless a process (of a container that joined it) is left in there. */
  #sweepLater(link: string): void {
    this.#leaving.add(link);
    this.#sweep ??= setTimeout(() => {
      this.#sweep = undefined;
      const links = [...this.#leaving];
      this.#leaving.clear();
      const present = new Set(
        this.#netlink()
          .listLinks()
          .map(({ name }) => name),
      );
      for (const name of links) if (present.has(name)) this.#deleteLink(name);
    }, SWEEP_MS).unref();
  }

  #deleteLink(name: string): void {
    try {
      this.#netlink().deleteLink(name);
    } catch (error) {
      // Its namespace went a moment ago, and the link with it.
      if (!hasErrno(error, 'ENODEV'))
        this.#log.warn({ link: name, error: messageOf(error) }, 'Cannot remove a stale link');
    }
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
