import { formatRfc3339Nano, newId, systemClock, WharfError } from '@wharf/kit';
import { withNetlink } from '@wharf/linux/netlink';
import type { Store, Table } from '@wharf/store';
import { networkAmbiguous, networkNameInUse, networkNotFound } from '@wharf/wire/docker/messages';
import type { IPAM, NetworkCreateRequest } from '@wharf/wire/docker/types';
import type { EngineConfig } from '../engine-config.ts';
import { addressOf, subnetsInUse, uplinkMtu } from './bridge.ts';
import { bridgeSettings, checkCreateRequest, withTemplate } from './create-request.ts';
import { AddressPool, choosePool } from './ipam.ts';
import { formatIpv4, formatSubnet, parseCidr, type Subnet } from './ipv4.ts';
import { NETWORKS_MAX } from './limits.ts';
import { type BridgeSettings, DEFAULT_NETWORK, type NetworkDriver, type NetworkRecord } from './network.ts';

export type NetworkConfig = Pick<EngineConfig, 'bridge' | 'bip' | 'mtu' | 'dns' | 'dnsSearch' | 'dnsOptions'>;

/** The networks there are, and the addresses given out in each. */
export class NetworkBooks {
  readonly #table: Table<NetworkRecord>;
  readonly #config: NetworkConfig;
  readonly #byId = new Map<string, NetworkRecord>();
  readonly #pools = new Map<string, AddressPool>();

  constructor(store: Store, config: NetworkConfig) {
    this.#table = store.table<NetworkRecord>('networks');
    this.#config = config;
    for (const { value } of this.#table.list()) this.#byId.set(value.id, value);
    this.#ensurePredefined();
  }

  list(): readonly NetworkRecord[] {
    return [...this.#byId.values()];
  }

  /** By full id, name, or unambiguous id prefix, in this order. Throws `not-found`. */
  resolve(idOrName: string): NetworkRecord {
    const exact = this.#byId.get(idOrName) ?? this.list().find(({ name }) => name === idOrName);
    if (exact) return exact;
    const matching = idOrName === '' ? [] : this.list().filter(({ id }) => id.startsWith(idOrName));
    if (matching.length > 1) {
      throw new WharfError('invalid-argument', networkAmbiguous(idOrName, matching.length, 'ID prefix'));
    }
    const [found] = matching;
    if (!found) throw new WharfError('not-found', networkNotFound(idOrName));
    return found;
  }

  find(idOrName: string): NetworkRecord | undefined {
    return this.#byId.get(idOrName) ?? this.list().find(({ name }) => name === idOrName);
  }

  /** The addresses of a bridge network. */
  pool(network: NetworkRecord): AddressPool {
    const known = this.#pools.get(network.id);
    if (known) return known;
    if (!network.bridge)
      throw new WharfError('internal', `Cannot give out addresses in "${network.name}": it has none`);
    const pool = new AddressPool(network.bridge);
    this.#pools.set(network.id, pool);
    return pool;
  }

  /** Adds a network to the books; the bridge is the caller's to make. Throws in Docker's words. */
  create(asked: NetworkCreateRequest): NetworkRecord {
    checkCreateRequest(asked);
    const request = withTemplate(asked, this.find(asked.ConfigFrom?.Network ?? ''));
    const name = request.Name ?? '';
    if (this.list().some((network) => network.name === name)) throw new WharfError('conflict', networkNameInUse(name));
    if (this.#byId.size >= NETWORKS_MAX) {
      throw new WharfError('resource-exhausted', `Cannot create network "${name}": there are ${NETWORKS_MAX} already`);
    }
    const id = newId<'network'>();
    if (request.ConfigOnly === true) return this.#keep({ ...recordOf(request, id), driver: 'null', configOnly: true });
    const bridge = withNetlink((netlink) =>
      bridgeSettings(request, {
        id,
        mtu: this.#config.mtu || uplinkMtu(netlink),
        ownSubnets: this.#subnets(),
        hostSubnets: subnetsInUse(netlink, ''),
      }),
    );
    if (this.list().some((network) => network.bridge?.name === bridge.name)) {
      throw new WharfError('conflict', `bridge name ${bridge.name} is already in use by another network`);
    }
    return this.#keep({ ...recordOf(request, id), ipam: shownIpam(request.IPAM, bridge), bridge });
  }

  remove(network: NetworkRecord): void {
    this.#table.delete(network.id);
    this.#byId.delete(network.id);
    this.#pools.delete(network.id);
  }

  #keep(network: NetworkRecord): NetworkRecord {
    this.#table.put(network.id, network);
    this.#byId.set(network.id, network);
    this.#pools.delete(network.id);
    return network;
  }

  #subnets(): Subnet[] {
    return this.list().flatMap(({ bridge }) => (bridge && parseCidr(bridge.subnet)?.subnet) ?? []);
  }

  #ensurePredefined(): void {
    for (const [name, driver] of [
      ['host', 'host'],
      ['none', 'null'],
    ] as const) {
      if (!this.list().some((network) => network.name === name)) this.#keep(predefined(name, driver));
    }
    const known = this.list().find(({ name }) => name === DEFAULT_NETWORK);
    if (this.#config.bridge === 'none') {
      if (known) this.remove(known);
      return;
    }
    const bridge = withNetlink((netlink) => this.#defaultBridge(netlink, known?.bridge));
    if (known && JSON.stringify(known.bridge) === JSON.stringify(bridge)) return;
    this.#keep({
      ...predefined(DEFAULT_NETWORK, 'bridge'),
      ...(known ? { id: known.id, createdAt: known.createdAt } : {}),
      options: {
        'com.docker.network.bridge.default_bridge': 'true',
        'com.docker.network.bridge.enable_icc': 'true',
        'com.docker.network.bridge.enable_ip_masquerade': 'true',
        'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
        'com.docker.network.bridge.name': bridge.name,
        'com.docker.network.driver.mtu': String(bridge.mtu),
      },
      ipam: { Driver: 'default', Options: null, Config: [{ Subnet: bridge.subnet, Gateway: bridge.gateway }] },
      bridge,
    });
  }

  /** `--bip`, else what was used before, else what the link has, else the first free pool. */
  #defaultBridge(
    netlink: Parameters<Parameters<typeof withNetlink>[0]>[0],
    known: BridgeSettings | undefined,
  ): BridgeSettings {
    const { bridge: name, bip } = this.#config;
    const mtu = this.#config.mtu || uplinkMtu(netlink);
    const given = bip ?? (known ? undefined : addressOf(netlink, name));
    if (given !== undefined) {
      const parsed = parseCidr(given);
      if (!parsed || parsed.address === parsed.subnet.base) {
        throw new WharfError(
          'invalid-argument',
          `Cannot use "${given}" as the bridge's address: it is not an address with a prefix length`,
        );
      }
      return bridgeOf(name, parsed.subnet, parsed.address, mtu);
    }
    if (known) return { ...known, name, mtu };
    const subnet = choosePool([...this.#subnets(), ...subnetsInUse(netlink, name)]);
    return bridgeOf(name, subnet, subnet.base + 1, mtu);
  }
}

function bridgeOf(name: string, subnet: Subnet, gateway: number, mtu: number): BridgeSettings {
  return {
    name,
    subnet: formatSubnet(subnet),
    gateway: formatIpv4(gateway),
    reserved: [],
    mtu,
    icc: true,
    masquerade: true,
    hostBinding: '0.0.0.0',
  };
}

function predefined(name: string, driver: NetworkDriver): NetworkRecord {
  return {
    id: newId<'network'>(),
    name,
    driver,
    createdAt: formatRfc3339Nano(systemClock.nowNs()),
    internal: false,
    attachable: false,
    enableIPv6: false,
    options: {},
    labels: {},
    ipam: { Driver: 'default', Options: null, Config: null },
  };
}

/** The network that a request asks for, before anything is chosen for it. */
function recordOf(request: NetworkCreateRequest, id: NetworkRecord['id']): NetworkRecord {
  const template = request.ConfigFrom?.Network ?? '';
  return {
    id,
    name: request.Name ?? '',
    driver: 'bridge',
    createdAt: formatRfc3339Nano(systemClock.nowNs()),
    internal: request.Internal === true,
    attachable: request.Attachable === true,
    enableIPv6: request.EnableIPv6 === true,
    options: request.Options ?? {},
    labels: request.Labels ?? {},
    ipam: {
      Driver: request.IPAM?.Driver || 'default',
      Options: request.IPAM?.Options ?? null,
      Config: request.IPAM?.Config ?? [],
    },
    ...(template === '' ? {} : { configFrom: template }),
  };
}

/** What was asked for with what was chosen filled in, as `inspect` shows it. */
function shownIpam(asked: IPAM | null | undefined, bridge: BridgeSettings): IPAM {
  const given = (asked?.Config ?? []).filter(({ Subnet }) => Subnet !== undefined && Subnet !== '');
  const hasIpv4 = given.some(({ Subnet }) => Subnet?.includes(':') === false);
  const chosen = { Subnet: bridge.subnet, Gateway: bridge.gateway };
  const config = given.map((entry) => (entry.Subnet?.includes(':') === true ? entry : { ...entry, ...chosen }));
  return {
    Driver: asked?.Driver || 'default',
    Options: asked?.Options ?? null,
    Config: hasIpv4 ? config : [chosen, ...config],
  };
}
