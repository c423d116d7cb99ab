import { join } from 'node:path';
import {
  type Filters,
  isKind,
  type Logger,
  matchesLabel,
  matchesLabels,
  messageOf,
  systemClock,
  validateFilters,
  WharfError,
} from '@wharf/kit';
import type { Store } from '@wharf/store';
import { networkHasEndpoints, networkNotRemovable, notConnected, templateInUse } from '@wharf/wire/docker/messages';
import type {
  EndpointSettings,
  HostConfig,
  Network,
  NetworkCreateRequest,
  NetworkCreateResponse,
  NetworkingConfig,
} from '@wharf/wire/docker/types';
import type { ContainerRecord, NetworkEndpoint } from '../containers/container.ts';
import type { EventBus } from '../events/event-bus.ts';
import { checkConnect } from './connect-check.ts';
import { askedFor, checkEndpointSettings } from './endpoint-settings.ts';
import { writeNetworkFiles } from './files.ts';
import type { HostsEntry } from './hosts-file.ts';
import { DEFAULT_NETWORK, isUserDefined, type NetworkRecord, parseNetworkMode } from './network.ts';
import { NetworkBooks, type NetworkConfig } from './network-books.ts';
import { NetworkGuard } from './network-guard.ts';
import type { NetworkFiles, NetworkService, Sandbox } from './network-service.ts';
import { checkPorts, planEndpoints } from './plan.ts';
import { pruneCutoff } from './prune.ts';
import { Sandboxes } from './sandboxes.ts';
import { describeEndpoint, listFilter, networkDetails, networkStatus, networkSummary } from './view.ts';

/** How often the rules are looked after. */
const RULES_CHECK_MS = 5000;

export interface NetworkRoomOptions {
  readonly store: Store;
  readonly execRoot: string;
  readonly dataRoot: string;
  readonly config: NetworkConfig;
  readonly events: EventBus;
  readonly log: Logger;
}

/** The networks of this host and what containers do with them. */
export class Networks implements NetworkService {
  readonly #books: NetworkBooks;
  readonly #sandboxes: Sandboxes;
  readonly #options: NetworkRoomOptions;
  readonly #guard: NetworkGuard;
  readonly #timer: NodeJS.Timeout;
  #containers: () => Iterable<ContainerRecord> = () => [];

  constructor(options: NetworkRoomOptions) {
    const { store, config, execRoot, log } = options;
    this.#options = options;
    this.#books = new NetworkBooks(store, config);
    this.#sandboxes = new Sandboxes({
      books: this.#books,
      config,
      log,
      netnsDir: join(execRoot, 'netns'),
      containers: () => this.#containers(),
    });
    this.#guard = new NetworkGuard({ books: this.#books, sandboxes: this.#sandboxes, log });
    this.#timer = setInterval(() => this.#lookAfterRules(), RULES_CHECK_MS).unref();
  }

  /** Tells where all containers there are can be looked up, so that the addresses they ask for are kept for them. */
  setContainers(containers: () => Iterable<ContainerRecord>): void {
    this.#containers = containers;
  }

  async plan(options: {
    readonly hostConfig: HostConfig;
    readonly networkingConfig: NetworkingConfig | undefined;
    readonly hostname: string;
  }): Promise<readonly NetworkEndpoint[]> {
    return planEndpoints(options, this.#books);
  }

  prepare(record: ContainerRecord): string | undefined {
    const { kind } = parseNetworkMode(record.hostConfig.NetworkMode);
    return kind === 'container' || kind === 'host' ? undefined : this.#sandboxes.prepare(record);
  }

  async setUp(
    record: ContainerRecord,
    options: { readonly containerDir: string; readonly peer?: ContainerRecord | undefined },
  ): Promise<Sandbox> {
    const mode = parseNetworkMode(record.hostConfig.NetworkMode);
    if (mode.kind === 'container') return this.#join(record, options.peer);
    const ownNamespace = mode.kind !== 'host';
    const disabled = record.config.NetworkDisabled === true;
    const live = this.#sandboxes.setUp(disabled ? { ...record, endpoints: [] } : record, { ownNamespace });
    for (const { network } of live.endpoints) this.#publishEvent(network, 'connect', { container: record.id });
    await this.#tellLinking(record.id);
    return {
      netnsPath: live.netnsPath,
      sandboxId: live.sandboxId,
      endpoints: this.#sandboxes.endpointsOf(live),
      ports: this.#sandboxes.portsOf(live),
    };
  }

  async writeFiles(record: ContainerRecord, containerDir: string): Promise<NetworkFiles> {
    const mode = parseNetworkMode(record.hostConfig.NetworkMode);
    return writeNetworkFiles(containerDir, {
      record,
      peerId: mode.kind === 'container' ? this.#sandboxes.live.find(mode.container)?.id : undefined,
      endpoints: this.#sandboxes.live.get(record.id)?.endpoints ?? [],
      config: this.#options.config,
      hostGateways: this.#hostGateways(),
      linkEntries: this.#linkEntries(record),
    });
  }

  async tearDown(record: ContainerRecord): Promise<void> {
    const endpoints = this.#sandboxes.tearDown(record.id);
    for (const { network } of endpoints) this.#publishEvent(network, 'disconnect', { container: record.id });
  }

  async restore(running: readonly ContainerRecord[]): Promise<void> {
    await this.#sandboxes.restore(
      running.filter(({ hostConfig }) => parseNetworkMode(hostConfig.NetworkMode).kind !== 'container'),
    );
    this.#guard.start();
  }

  async connect(record: ContainerRecord, network: string, settings: EndpointSettings): Promise<NetworkEndpoint> {
    const target = this.#books.resolve(network);
    checkConnect(record, target, { isUp: this.#sandboxes.live.get(record.id) !== undefined });
    checkEndpointSettings(target, settings);
    const live = this.#sandboxes.live.get(record.id);
    if (!live)
      return {
        networkName: target.name,
        networkId: target.id,
        settings: { ...askedFor(settings), NetworkID: target.id },
      };
    this.#sandboxes.connect(live, target, settings);
    const asked = { networkName: target.name, networkId: target.id, settings };
    live.record = {
      ...record,
      endpoints: [...record.endpoints.filter(({ networkId }) => networkId !== target.id), asked],
    };
    this.#publishEvent(target, 'connect', { container: record.id });
    const connected = this.#sandboxes.endpointsOf(live).find(({ networkId }) => networkId === target.id);
    await this.#rewriteFiles(live.record);
    return connected ?? asked;
  }

  async disconnect(record: ContainerRecord, network: string): Promise<void> {
    const target = this.#books.resolve(network);
    if (parseNetworkMode(record.hostConfig.NetworkMode).kind === 'host' && target.driver === 'host') {
      throw new WharfError(
        'invalid-argument',
        'container cannot be disconnected from host network or connected to host network',
      );
    }
    const live = this.#sandboxes.live.get(record.id);
    const endpoint = live?.endpoints.find((candidate) => candidate.network.id === target.id);
    if (live && endpoint) {
      this.#sandboxes.disconnect(live, endpoint);
      live.record = { ...record, endpoints: record.endpoints.filter(({ networkId }) => networkId !== target.id) };
      this.#publishEvent(target, 'disconnect', { container: record.id });
      await this.#rewriteFiles(live.record);
      return;
    }
    const planned = record.endpoints.some(
      ({ networkId, networkName }) => networkId === target.id || networkName === target.name,
    );
    if (!planned) throw new WharfError('internal', notConnected(record.id, target.name));
  }

  async rename(record: ContainerRecord): Promise<void> {
    this.#sandboxes.rename(record);
  }

  avoid(containerId: string, avoided: boolean): void {
    this.#sandboxes.avoid(containerId, avoided);
  }

  async refreshFiles(record: ContainerRecord): Promise<void> {
    const live = this.#sandboxes.live.get(record.id);
    if (!live) return;
    live.record = record;
    await this.#rewriteFiles(record);
  }

  async republish(record: ContainerRecord, from?: ContainerRecord): Promise<ContainerRecord['ports']> {
    checkPorts(record.hostConfig);
    const live = this.#sandboxes.live.get(record.id);
    const giver = from === undefined ? undefined : this.#sandboxes.live.get(from.id);
    if (!live) {
      if (giver && from) this.#sandboxes.republish(giver, from);
      return {};
    }
    if (giver && from) this.#sandboxes.handOver({ live: giver, record: from }, { live, record });
    else this.#sandboxes.republish(live, record);
    return this.#sandboxes.portsOf(live);
  }

  async forget(record: ContainerRecord): Promise<void> {
    await this.tearDown(record);
  }

  /** The published ports in force, as `inspect` shows them; they change when a running container is connected elsewhere. */
  portsOf(record: ContainerRecord): ContainerRecord['ports'] {
    const live = this.#sandboxes.live.get(record.id);
    return live ? this.#sandboxes.portsOf(live) : {};
  }

  /** Makes a network. Throws in Docker's words. */
  async createNetwork(request: NetworkCreateRequest): Promise<NetworkCreateResponse> {
    const network = this.#books.create(request);
    try {
      this.#sandboxes.makeNetwork(network);
    } catch (error) {
      this.#sandboxes.removeNetwork(network);
      this.#books.remove(network);
      throw error;
    }
    await this.#options.store.committed();
    this.#publishEvent(network, 'create');
    return { Id: network.id, Warning: '' };
  }

  /** Throws `permission-denied` while containers are connected, and for predefined networks. */
  async removeNetwork(idOrName: string): Promise<void> {
    const network = this.#books.resolve(idOrName);
    if (!isUserDefined(network.name)) throw new WharfError('permission-denied', networkNotRemovable(network.name));
    if (network.configOnly === true && this.#books.list().some(({ configFrom }) => configFrom === network.name)) {
      throw new WharfError('permission-denied', templateInUse(network.name));
    }
    const endpoints = this.#sandboxes.live.endpointsOf(network.id);
    if (endpoints.length > 0) {
      throw new WharfError('permission-denied', networkHasEndpoints(network.name, endpoints.map(describeEndpoint)));
    }
    this.#books.remove(network);
    this.#sandboxes.removeNetwork(network);
    await this.#options.store.committed();
    this.#publishEvent(network, 'destroy');
  }

  /** Networks that match, by name; `withContainers` adds who is connected. */
  listNetworks(filters: Filters, options: { readonly withContainers?: boolean } = {}): Network[] {
    const { live } = this.#sandboxes;
    const matches = listFilter(filters, (network) => live.endpointsOf(network.id).length > 0);
    return this.#books
      .list()
      .filter(matches)
      .sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))
      .map((network) =>
        options.withContainers === true
          ? networkDetails(network, live.endpointsOf(network.id))
          : networkSummary(network),
      );
  }

  /** Throws `not-found` (`network x not found`). */
  inspectNetwork(idOrName: string, options: { readonly withStatus?: boolean } = {}): Network {
    const network = this.#books.resolve(idOrName);
    const details = networkDetails(network, this.#sandboxes.live.endpointsOf(network.id));
    return options.withStatus === true
      ? { ...details, Status: networkStatus(this.#books.addresses(network).status()) }
      : details;
  }

  /** Removes networks that no container is connected to. Returns their names. */
  async pruneNetworks(filters: Filters): Promise<string[]> {
    validateFilters(filters, ['label', 'label!', 'until']);
    const cutoff = pruneCutoff(filters, systemClock.nowNs());
    const deleted: string[] = [];
    for (const network of this.#books.list()) {
      if (
        !isUserDefined(network.name) ||
        network.configOnly === true ||
        this.#sandboxes.live.endpointsOf(network.id).length > 0
      )
        continue;
      if (!matchesLabels(filters, network.labels)) continue;
      if ((filters.get('label!') ?? []).some((label) => matchesLabel(label, network.labels))) continue;
      if (cutoff !== undefined && network.createdAt >= cutoff) continue;
      try {
        await this.removeNetwork(network.id);
        deleted.push(network.name);
      } catch (error) {
        // A container was connected meanwhile.
        if (!isKind(error, 'permission-denied')) throw error;
      }
    }
    this.#options.events.publish({ type: 'network', action: 'prune', actorId: '', attributes: { reclaimed: '0' } });
    return deleted;
  }

  /** Ends what the daemon itself does for networks (DNS, watching the rules); the containers' links stay. */
  close(): void {
    clearInterval(this.#timer);
    this.#guard.close();
    this.#sandboxes.close();
  }

  #join(record: ContainerRecord, peer: ContainerRecord | undefined): Sandbox {
    if (!peer)
      throw new WharfError(
        'internal',
        `Cannot join the network of another container for "${record.name}": it was not given`,
      );
    const shared = this.#sandboxes.live.get(peer.id);
    const fallback =
      parseNetworkMode(peer.hostConfig.NetworkMode).kind === 'host' ? undefined : `/proc/${peer.state.pid}/ns/net`;
    return {
      netnsPath: shared ? shared.netnsPath : fallback,
      sandboxId: shared?.sandboxId ?? '',
      endpoints: [],
      ports: {},
    };
  }

  async #rewriteFiles(record: ContainerRecord): Promise<void> {
    try {
      await this.writeFiles(record, join(this.#options.dataRoot, 'containers', record.id));
    } catch (error) {
      this.#options.log.warn(
        { container: record.id, error: messageOf(error) },
        'Cannot rewrite the hosts and resolv.conf of a container',
      );
    }
  }

  /** Containers that link to one that has come up learn its address. */
  async #tellLinking(containerId: string): Promise<void> {
    for (const { record } of this.#sandboxes.live.all()) {
      if (record.links?.some((link) => link.containerId === containerId)) await this.#rewriteFiles(record);
    }
  }

  #hostGateways(): readonly string[] {
    const bridge = this.#books.find(DEFAULT_NETWORK);
    return [...(bridge?.ipv4 ?? []), ...(bridge?.ipv6 ?? [])].flatMap(({ gateway }) => gateway || []);
  }

  /** `--link` on the default bridge: `address alias name` lines for containers that are up. */
  #linkEntries(record: ContainerRecord): HostsEntry[] {
    const entries: HostsEntry[] = [];
    for (const { alias, containerId } of record.links ?? []) {
      const peer = this.#sandboxes.live.get(containerId);
      const address = peer?.endpoints.find(({ network }) => network.name === DEFAULT_NETWORK)?.address;
      if (!peer || !address) continue;
      const names = [...new Set([alias, peer.record.config.Hostname || peer.id.slice(0, 12), peer.record.name])];
      entries.push({ address, names: names.join(' ') });
    }
    return entries;
  }

  #publishEvent(network: NetworkRecord, action: string, extra: Readonly<Record<string, string>> = {}): void {
    const attributes = { ...extra, name: network.name, type: network.driver };
    this.#options.events.publish({ type: 'network', action, actorId: network.id, attributes });
  }

  #lookAfterRules(): void {
    try {
      this.#sandboxes.ensureRules();
    } catch (error) {
      this.#options.log.error({ error: messageOf(error) }, 'Cannot write the packet filter rules');
    }
  }
}
