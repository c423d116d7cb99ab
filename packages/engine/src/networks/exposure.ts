import { type Logger, messageOf, WharfError } from '@wharf/kit';
import { publishFailed } from '@wharf/wire/docker/messages';
import type { ContainerRecord } from '../containers/container.ts';
import { NameBook } from './dns/name-book.ts';
import { DnsServer } from './dns/server.ts';
import { dnsViewOf } from './dns/view.ts';
import { gatewayEndpoint } from './endpoint-settings.ts';
import { dnsWishes, readHostResolvConf } from './files.ts';
import type { LiveContainer } from './live-containers.ts';
import { isUserDefined, type LiveEndpoint, type NetworkRecord } from './network.ts';
import type { NetworkConfig } from './network-books.ts';
import type { FilteredNetwork } from './nft-plan.ts';
import { PacketFilter } from './packet-filter.ts';
import { PortBook, parsePortKey, wantedPorts } from './ports.ts';
import { upstreamsOf } from './resolv-conf.ts';

/** How containers are reached: their published ports, their names, and the resolver that each of them has. */
export class Exposure {
  readonly filter: PacketFilter;
  readonly #config: NetworkConfig;
  readonly #log: Logger;
  readonly #names = new NameBook();
  readonly #ports = new PortBook();

  constructor(options: { readonly config: NetworkConfig; readonly log: Logger }) {
    this.#config = options.config;
    this.#log = options.log;
    this.filter = new PacketFilter({ bridge: options.config.bridge, log: options.log });
  }

  /** Brings ports, names and resolver in line with the endpoints. `fresh`: the namespace was made just now. */
  refresh(live: LiveContainer, options: { readonly fresh: boolean }): void {
    this.#publish(live);
    this.#addNames(live);
    this.#refreshDns(live, options.fresh);
  }

  /** As `refresh` after a daemon restart; `filter.rebuild` comes after. */
  adopt(live: LiveContainer): void {
    this.#adoptPorts(live);
    this.#addNames(live);
    this.#refreshDns(live, false);
  }

  /** Takes everything back. Idempotent. */
  withdraw(live: LiveContainer): void {
    live.dns?.close();
    live.dns = undefined;
    this.filter.unpublish(live.id);
    for (const port of live.held) port.close();
    for (const endpoint of live.endpoints) this.#names.remove(endpoint);
  }

  forgetNames(endpoint: LiveEndpoint): void {
    this.#names.remove(endpoint);
  }

  /** The container's endpoints have other names now. */
  renamed(live: LiveContainer, endpoints: LiveEndpoint[]): void {
    for (const endpoint of live.endpoints) this.#names.remove(endpoint);
    live.endpoints = endpoints;
    this.#addNames(live);
  }

  /** `NetworkSettings.Ports`. */
  portsOf(live: LiveContainer): ContainerRecord['ports'] {
    const ports: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
    if (!gatewayEndpoint(live.endpoints)) return ports;
    const { config, hostConfig } = live.record;
    for (const key of [...Object.keys(config.ExposedPorts ?? {}), ...Object.keys(hostConfig.PortBindings ?? {})]) {
      const parsed = parsePortKey(key);
      if (parsed) ports[`${parsed.port}/${parsed.protocol}`] = null;
    }
    for (const { key, forward } of live.held) {
      ports[key] = [...(ports[key] ?? []), { HostIp: forward.hostIp, HostPort: String(forward.hostPort) }];
    }
    return ports;
  }

  #publish(live: LiveContainer): void {
    const gateway = gatewayEndpoint(live.endpoints);
    if ((gateway?.address ?? '') === live.publishedTo) return;
    this.filter.unpublish(live.id);
    live.publishedTo = gateway?.address ?? '';
    if (!gateway) {
      for (const port of live.held) port.close();
      live.held = [];
      return;
    }
    try {
      if (live.held.length === 0) live.held = this.#ports.hold(this.#wanted(live, gateway));
      this.filter.publish(
        live.id,
        live.held.map(({ forward }) => ({ ...forward, address: gateway.address })),
      );
    } catch (error) {
      if (!(error instanceof WharfError)) throw error;
      const message = publishFailed(live.record.name, gateway.endpointId, error.message);
      throw new WharfError(error.kind, message, { cause: error });
    }
  }

  #wanted(live: LiveContainer, gateway: LiveEndpoint): ReturnType<typeof wantedPorts> {
    return wantedPorts(live.record.config, live.record.hostConfig, gateway.network.bridge?.hostBinding ?? '0.0.0.0');
  }

  #addNames(live: LiveContainer): void {
    for (const endpoint of live.endpoints) if (isUserDefined(endpoint.network.name)) this.#names.add(endpoint);
  }

  #refreshDns(live: LiveContainer, fresh: boolean): void {
    const wanted = live.endpoints.some(({ network }) => network.bridge !== undefined && isUserDefined(network.name));
    if (!wanted || live.netnsPath === undefined) {
      live.dns?.close();
      live.dns = undefined;
      return;
    }
    live.dns ??= DnsServer.open({
      netnsPath: live.netnsPath,
      fresh,
      view: dnsViewOf(live, this.#names),
      upstreams: () =>
        gatewayEndpoint(live.endpoints) ? upstreamsOf(readHostResolvConf(), dnsWishes(live.record, this.#config)) : [],
    });
  }

  /** The ports of the record are in force whether their sockets can be had again or not: clients rely on them. */
  #adoptPorts(live: LiveContainer): void {
    const gateway = gatewayEndpoint(live.endpoints);
    live.publishedTo = gateway?.address ?? '';
    if (!gateway) return;
    for (const [key, bindings] of Object.entries(live.record.ports)) {
      const parsed = parsePortKey(key);
      for (const { HostIp, HostPort } of parsed ? (bindings ?? []) : []) {
        const port = Number(HostPort);
        const wanted = {
          key,
          ...(parsed as NonNullable<typeof parsed>),
          hostIp: HostIp,
          firstHostPort: port,
          lastHostPort: port,
        };
        live.held = [
          ...live.held,
          this.#ports.holdAgain(wanted, (error) =>
            this.#log.warn({ container: live.id, error: messageOf(error) }, 'Cannot keep others off a published port'),
          ),
        ];
      }
    }
    this.filter.loadForwards(
      live.id,
      live.held.map(({ forward }) => ({ ...forward, address: gateway.address })),
    );
  }
}

/** What the packet filter needs to know of a bridge network. */
export function filtered(network: NetworkRecord): FilteredNetwork {
  const bridge = network.bridge as NonNullable<NetworkRecord['bridge']>;
  return { bridge: bridge.name, subnet: bridge.subnet, internal: network.internal, masquerade: bridge.masquerade };
}
