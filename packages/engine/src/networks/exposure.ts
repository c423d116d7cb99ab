import { type Logger, messageOf, WharfError } from '@wharf/kit';
import { publishFailed } from '@wharf/wire/docker/messages';
import type { ContainerConfig, HostConfig } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import type { DnsClient } from './dns/orders.ts';
import { DnsService } from './dns/service.ts';
import { gatewayEndpoint } from './endpoint-settings.ts';
import { dnsWishes } from './files.ts';
import { HostResolver } from './host-resolver.ts';
import type { LiveContainer } from './live-containers.ts';
import { LoopbackRelay } from './loopback-relay.ts';
import { type GatewayMode, isPlugged, type LiveEndpoint, type NetworkRecord } from './network.ts';
import type { NetworkConfig } from './network-books.ts';
import type { FilteredNetwork, PortForward } from './nft-plan.ts';
import { PacketFilter } from './packet-filter.ts';
import { type HeldPorts, PortBook, sortOut, wantedAgain } from './ports.ts';
import { isLoopback } from './resolv-conf.ts';
import { ANY_IPV4, ANY_IPV6, joined, parsePortKey, portKey, type WantedPorts, wantedPorts } from './wanted-ports.ts';

/** The endpoints that published ports lead to, by family. */
interface Gateways {
  readonly ipv4: LiveEndpoint | undefined;
  readonly ipv6: LiveEndpoint | undefined;
}

/** How containers are reached: their published ports, their names, and the resolver that each of them has. */
export class Exposure {
  readonly filter: PacketFilter;
  readonly #config: NetworkConfig;
  readonly #log: Logger;
  readonly #dns: DnsService;
  readonly #hostResolver: HostResolver;
  readonly #ports = new PortBook();
  readonly #relay: LoopbackRelay;
  /** Where containers are reached by their own addresses beside the way through their gateways. */
  readonly #alsoOpen = new WeakMap<LiveContainer, readonly PortForward[]>();

  constructor(options: { readonly config: NetworkConfig; readonly log: Logger }) {
    const { config, log } = options;
    this.#config = config;
    this.#log = log;
    this.#dns = new DnsService(log);
    this.#hostResolver = new HostResolver({ log, onChange: (servers) => this.#dns.setHostServers(servers) });
    this.#relay = new LoopbackRelay(options.config.bridge, (port) => this.filter.targetOf(port));
    this.filter = new PacketFilter({ bridge: config.bridge, log, relayPort: () => this.#relay.port() });
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
    this.#dns.leave(live.id);
    this.filter.unpublish(live.id);
    for (const port of live.held) port.close();
    for (const endpoint of live.endpoints) this.forgetNames(endpoint);
  }

  forgetNames(endpoint: LiveEndpoint): void {
    this.#dns.forget(endpoint.endpointId);
  }

  /** What is known of the container's names has changed. */
  rename(live: LiveContainer): void {
    this.#addNames(live);
  }

  /** The container's endpoints have other names now. */
  renamed(live: LiveContainer, endpoints: LiveEndpoint[]): void {
    for (const endpoint of live.endpoints) this.forgetNames(endpoint);
    live.endpoints = endpoints;
    this.#addNames(live);
  }

  /**
   * Publishes what `live.record` asks for now instead of what was published before, in one step. Ports that stay are never let
   * go of. On an error everything is as it was.
   */
  republish(live: LiveContainer): void {
    const gateways = gatewaysOf(live);
    const [some] = [gateways.ipv4, gateways.ipv6].flatMap((endpoint) => endpoint ?? []);
    if (!some) return;
    this.#inDockersWords(live, some, () => {
      const { kept, missing } = sortOut(live.held, this.#wanted(live.record, gateways));
      const dropped = live.held.filter((held) => !kept.includes(held));
      for (const held of dropped) held.close();
      try {
        live.held = [...kept, ...this.#ports.hold(missing)];
      } catch (error) {
        const again = dropped.flatMap(({ forward }) => this.#ports.holdAgain(wantedAgain(forward), () => {}));
        live.held = [...kept, ...again];
        throw error;
      }
      this.filter.republish(live.id, [...forwardsTo(live.held, gateways), ...this.#openBeside(live, gateways)]);
    });
  }

  /**
   * Publishes for `to` what its record asks for, with the ports that `from` holds: they go over in one transaction, and at no
   * time a packet finds nobody. `from` publishes nothing from then on. On an error everything is as it was.
   */
  handOver(from: LiveContainer, to: LiveContainer): void {
    const gateways = gatewaysOf(to);
    const [some] = [gateways.ipv4, gateways.ipv6].flatMap((endpoint) => endpoint ?? []);
    if (!some) {
      this.republish(from);
      return;
    }
    this.#inDockersWords(to, some, () => {
      const own = sortOut(to.held, this.#wanted(to.record, gateways));
      const taken = sortOut(from.held, own.missing);
      const before = { from: from.held, to: to.held };
      const dropped = [
        ...to.held.filter((held) => !own.kept.includes(held)),
        ...from.held.filter((held) => !taken.kept.includes(held)),
      ];
      for (const held of dropped) held.close();
      try {
        to.held = [...own.kept, ...taken.kept, ...this.#ports.hold(taken.missing)];
        from.held = [];
      } catch (error) {
        const again = new Map(
          dropped.map((held) => [held, this.#ports.holdAgain(wantedAgain(held.forward), () => {})] as const),
        );
        from.held = before.from.flatMap((held) => again.get(held) ?? [held]);
        to.held = before.to.flatMap((held) => again.get(held) ?? [held]);
        throw error;
      }
      this.filter.republishAll([
        [from.id, this.#openBeside(from, gatewaysOf(from))],
        [to.id, [...forwardsTo(to.held, gateways), ...this.#openBeside(to, gateways)]],
      ]);
    });
  }

  /** `NetworkSettings.Ports`. */
  portsOf(live: LiveContainer): ContainerRecord['ports'] {
    const ports: Record<string, { HostIp: string; HostPort: string }[] | null> = {};
    const { ipv4, ipv6 } = gatewaysOf(live);
    if (!ipv4 && !ipv6) return ports;
    const { config, hostConfig } = live.record;
    for (const key of [...Object.keys(config.ExposedPorts ?? {}), ...Object.keys(hostConfig.PortBindings ?? {})]) {
      const parsed = parsePortKey(key);
      if (parsed) ports[portKey(parsed.port, parsed.protocol)] = null;
    }
    for (const { forward } of live.held) {
      for (let index = 0; index < forward.count; index++) {
        const key = portKey(forward.port + index, forward.protocol);
        const HostPort = forward.routed === true ? '' : String(forward.hostPort + index);
        const list = ports[key] ?? [];
        list.push({ HostIp: forward.hostIp, HostPort });
        ports[key] = list;
      }
    }
    return ports;
  }

  close(): void {
    this.filter.close();
    this.#relay.close();
    this.#hostResolver.close();
    this.#dns.close();
  }

  #publish(live: LiveContainer): void {
    const gateways = gatewaysOf(live);
    const to = `${gateways.ipv4?.address ?? ''} ${gateways.ipv6?.address6 ?? ''}`.trim();
    if (to === live.publishedTo) {
      this.#reopen(live, gateways);
      return;
    }
    const families = (text: string): string => text.replaceAll(/[^ ]+/g, (one) => (one.includes(':') ? '6' : '4'));
    const sameFamilies = families(to) === families(live.publishedTo);
    this.filter.unpublish(live.id);
    live.publishedTo = to;
    const [some] = [gateways.ipv4 ?? gateways.ipv6].flatMap((endpoint) => endpoint ?? []);
    if (!some || !sameFamilies) {
      for (const port of live.held) port.close();
      live.held = [];
    }
    if (!some) return;
    this.#inDockersWords(live, some, () => {
      if (live.held.length === 0) live.held = this.#ports.hold(this.#wanted(live.record, gateways));
      this.filter.publish(live.id, [...forwardsTo(live.held, gateways), ...this.#openBeside(live, gateways)]);
    });
  }

  /** The gateways stay; a routed network beside them may have come or gone. */
  #reopen(live: LiveContainer, gateways: Gateways): void {
    const before = this.#alsoOpen.get(live) ?? [];
    const now = this.#openBeside(live, gateways);
    if (JSON.stringify(now) === JSON.stringify(before)) return;
    this.filter.republish(live.id, [...forwardsTo(live.held, gateways), ...now]);
  }

  /** The published ports on the addresses of routed networks that are not the container's gateways. */
  #openBeside(live: LiveContainer, gateways: Gateways): readonly PortForward[] {
    const { config, hostConfig } = live.record;
    const open = live.endpoints.filter(onBridge).flatMap((endpoint): PortForward[] => {
      const { bridge } = endpoint.network;
      const routed4 = endpoint !== gateways.ipv4 && bridge?.gatewayMode4 === 'routed' && endpoint.address !== '';
      const routed6 = endpoint !== gateways.ipv6 && bridge?.gatewayMode6 === 'routed' && endpoint.address6 !== '';
      if (!routed4 && !routed6) return [];
      return wantedPorts(config, hostConfig, [ANY_IPV4, ANY_IPV6]).flatMap(({ protocol, port, count, hostIps }) => {
        const common = { protocol, port, hostPort: port, count, routed: true } as const;
        const has = (six: boolean): boolean => hostIps.some((ip) => ip.includes(':') === six);
        return [
          ...(routed4 && has(false) ? [{ ...common, hostIp: ANY_IPV4, address: endpoint.address }] : []),
          ...(routed6 && has(true) ? [{ ...common, hostIp: ANY_IPV6, address: endpoint.address6 }] : []),
        ];
      });
    });
    this.#alsoOpen.set(live, open);
    return open;
  }

  #inDockersWords(live: LiveContainer, { endpointId }: LiveEndpoint, work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof WharfError)) throw error;
      throw new WharfError(error.kind, publishFailed(live.record.name, endpointId, error.message), { cause: error });
    }
  }

  /** In the families that there are, and through or without translation as the network's mode is. */
  #wanted(record: { readonly config: ContainerConfig; readonly hostConfig: HostConfig }, to: Gateways): WantedPorts[] {
    const network = (to.ipv4 ?? to.ipv6)?.network;
    const { hostBinding = ANY_IPV4, hostBinding6 = '' } = network?.bridge ?? {};
    const defaults = [...new Set([hostBinding, hostBinding6])].filter((address) => address !== '');
    const routed4 = to.ipv4?.network.bridge?.gatewayMode4 === 'routed';
    const routed6 = to.ipv6?.network.bridge?.gatewayMode6 === 'routed';
    return wantedPorts(record.config, record.hostConfig, defaults).flatMap((want) => {
      const explicit6 = want.hostIps.length === 1;
      const ipv4 = want.hostIps.filter((ip) => !ip.includes(':') && to.ipv4);
      // [::1] goes through the relay, which reaches either family.
      const ipv6 = want.hostIps.filter((ip) => ip.includes(':') && (to.ipv6 || (explicit6 && ip === '::1')));
      const mapped = [...(routed4 ? [] : ipv4), ...(routed6 ? [] : ipv6)];
      // Mapped before routed: clients take the first binding for the port on this host.
      const whole: WantedPorts[] = mapped.length > 0 ? [{ ...want, hostIps: mapped }] : [];
      if (ipv4.length > 0 && routed4) whole.push({ ...want, hostIps: [ANY_IPV4], routed: true });
      if (ipv6.length > 0 && routed6) whole.push({ ...want, hostIps: [ANY_IPV6], routed: true });
      return whole;
    });
  }

  #addNames(live: LiveContainer): void {
    for (const endpoint of live.endpoints) {
      const { network, endpointId, dnsNames } = endpoint;
      const addresses = [endpoint.address, endpoint.address6].filter((address) => address !== '');
      if (addresses.length === 0) continue;
      const common = { endpointId, networkId: network.id, networkName: network.name, addresses, dnsNames };
      this.#dns.name(live.avoided ? { ...common, avoided: true } : common);
    }
  }

  #refreshDns(live: LiveContainer, fresh: boolean): void {
    if (!live.endpoints.some(isPlugged) || live.netnsPath === undefined) {
      this.#dns.leave(live.id);
      return;
    }
    this.#dns.setHostServers(this.#hostResolver.servers());
    this.#dns.serve(live.id, { netnsPath: live.netnsPath, fresh, client: this.#dnsClient(live, live.netnsPath) });
  }

  #dnsClient(live: LiveContainer, netnsPath: string): DnsClient {
    const wishes = dnsWishes(live.record, this.#config);
    const own = live.record.hostConfig.Dns ?? [];
    return {
      networks: live.endpoints.filter(isPlugged).map(({ network, links }) => ({ id: network.id, links })),
      forwards: [4, 6].some((family) => gatewayEndpoint(live.endpoints, family === 4 ? 4 : 6) !== undefined),
      // A loopback address that the container itself asked for is its own.
      servers: wishes.servers.map((address) =>
        own.includes(address) && isLoopback(address) ? { address, netns: netnsPath } : { address },
      ),
      plainNamesStay: wishes.options.some((option) => /^ndots:[1-9]/.test(option)),
    };
  }

  /** The ports of the record are in force whether their sockets can be had again or not: clients rely on them. */
  #adoptPorts(live: LiveContainer): void {
    const gateways = gatewaysOf(live);
    live.publishedTo = `${gateways.ipv4?.address ?? ''} ${gateways.ipv6?.address6 ?? ''}`.trim();
    if (live.publishedTo === '') return;
    const single = Object.entries(live.record.ports).flatMap(([key, bindings]) => {
      const parsed = parsePortKey(key);
      if (!parsed) return [];
      return (bindings ?? []).map(({ HostIp, HostPort }): WantedPorts => {
        const port = HostPort === '' ? parsed.port : Number(HostPort);
        const common = { ...parsed, count: 1, hostIps: [HostIp], firstHostPort: port, lastHostPort: port };
        return HostPort === '' ? { ...common, routed: true } : common;
      });
    });
    const warn = (error: unknown): void =>
      this.#log.warn({ container: live.id, error: messageOf(error) }, 'Cannot keep others off a published port');
    live.held = joined(single).flatMap((want) =>
      want.routed === true ? this.#ports.hold([want]) : this.#ports.holdAgain(want, warn),
    );
    this.filter.loadForwards(live.id, [...forwardsTo(live.held, gateways), ...this.#openBeside(live, gateways)]);
  }
}

/** What is on a network of its own (macvlan) needs no port of this host's. */
const onBridge = (endpoint: LiveEndpoint | undefined): LiveEndpoint | undefined =>
  endpoint?.network.bridge === undefined ? undefined : endpoint;

function gatewaysOf(live: LiveContainer): Gateways {
  return {
    ipv4: onBridge(gatewayEndpoint(live.endpoints, 4)),
    ipv6: onBridge(gatewayEndpoint(live.endpoints, 6)),
  };
}

function forwardsTo(held: readonly HeldPorts[], to: Gateways): PortForward[] {
  return held.flatMap(({ forward }) => {
    const own = forward.hostIp.includes(':') ? to.ipv6?.address6 : to.ipv4?.address;
    const address = own ?? (forward.hostIp === '::1' ? to.ipv4?.address : undefined);
    return address === undefined ? [] : [{ ...forward, address }];
  });
}

/** What the packet filter needs to know of a bridge network. */
export function filtered(network: NetworkRecord): FilteredNetwork {
  const bridge = network.bridge as NonNullable<NetworkRecord['bridge']>;
  const { masquerade, gatewayMode4, gatewayMode6, hostSource4, hostSource6 } = bridge;
  const family = (pools: NetworkRecord['ipv4'], mode: GatewayMode, hostSource: string | undefined) =>
    pools.length === 0 ? undefined : { subnets: pools.map(({ subnet }) => subnet), masquerade, mode, hostSource };
  return {
    bridge: bridge.name,
    internal: network.internal,
    trusted: bridge.trustedInterfaces,
    ipv4: family(network.ipv4, gatewayMode4, hostSource4),
    ipv6: family(network.ipv6, gatewayMode6, hostSource6),
  };
}
