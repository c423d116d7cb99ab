import { newId, WharfError } from '@wharf/kit';
import { type Netlink, withNetlink } from '@wharf/linux/netlink';
import type { Store, Table } from '@wharf/store';
import { networkAmbiguous, networkNameInUse, networkNotFound, sameBridgeName } from '@wharf/wire/docker/messages';
import type { NetworkCreateRequest } from '@wharf/wire/docker/types';
import type { EngineConfig } from '../engine-config.ts';
import { NetworkAddresses } from './address-pool.ts';
import { bridgeSettings } from './bridge-options.ts';
import { checkCreateRequest, driverOf, withDefaults, withTemplate } from './create-request.ts';
import { defaultBridgeRecord } from './default-bridge.ts';
import { type PoolToSplit, poolsToSplit } from './default-pools.ts';
import { OPTION } from './driver-options.ts';
import { hostSubnets, kernelHasIPv6, uplinkMtu } from './host-network.ts';
import { familiesOf, type PoolFacts, poolsOf, shownIpam } from './ipam-request.ts';
import { IPV6_MTU_MIN, NETWORKS_MAX } from './limits.ts';
import { type BridgeSettings, DEFAULT_NETWORK, type NetworkPool, type NetworkRecord } from './network.ts';
import { parentSettings, sharedParent, wantsHostAccess } from './parent-options.ts';
import { predefined, recordOf, upgraded } from './records.ts';
import { parseCidr } from './subnet.ts';
import { ulaPrefix } from './ula.ts';

export type NetworkConfig = Pick<
  EngineConfig,
  | 'bridge'
  | 'bip'
  | 'bip6'
  | 'fixedCidr'
  | 'fixedCidr6'
  | 'defaultGateway'
  | 'defaultGateway6'
  | 'ipv6'
  | 'icc'
  | 'ipMasquerade'
  | 'addressPools'
  | 'defaultNetworkOptions'
  | 'mtu'
  | 'hostIp'
  | 'dns'
  | 'dnsSearch'
  | 'dnsOptions'
>;

/** The networks there are, and the addresses given out in each. */
export class NetworkBooks {
  readonly #table: Table<NetworkRecord>;
  readonly #config: NetworkConfig;
  readonly #defaults: readonly PoolToSplit[];
  readonly #byId = new Map<string, NetworkRecord>();
  readonly #addresses = new Map<string, NetworkAddresses>();

  constructor(store: Store, config: NetworkConfig) {
    this.#table = store.table<NetworkRecord>('networks');
    this.#config = config;
    this.#defaults = poolsToSplit(config.addressPools, ulaPrefix(store));
    for (const { value } of this.#table.list()) this.#byId.set(value.id, upgraded(value));
    this.#ensurePredefined();
  }

  list(): readonly NetworkRecord[] {
    return [...this.#byId.values()];
  }

  /** By full id, name, or unambiguous id prefix, in this order. Throws `not-found`. */
  resolve(idOrName: string): NetworkRecord {
    const exact = this.find(idOrName);
    if (exact) return exact;
    const matching = idOrName === '' ? [] : this.list().filter(({ id }) => id.startsWith(idOrName));
    if (matching.length > 1)
      throw new WharfError('invalid-argument', networkAmbiguous(idOrName, matching.length, 'ID prefix'));
    const [found] = matching;
    if (!found) throw new WharfError('not-found', networkNotFound(idOrName));
    return found;
  }

  find(idOrName: string): NetworkRecord | undefined {
    return this.#byId.get(idOrName) ?? this.list().find(({ name }) => name === idOrName);
  }

  /** The addresses of a network; one without subnets gives out none. */
  addresses(network: NetworkRecord): NetworkAddresses {
    const known = this.#addresses.get(network.id);
    if (known) return known;
    const addresses = new NetworkAddresses(network);
    if (network.parent?.hostAddress !== undefined) addresses.adopt(network.parent.hostAddress);
    this.#addresses.set(network.id, addresses);
    return addresses;
  }

  /** Adds a network to the books; its links are the caller's to make. Throws in Docker's words. */
  create(asked: NetworkCreateRequest): NetworkRecord {
    checkCreateRequest(asked);
    const request = withDefaults(
      withTemplate(asked, this.find(asked.ConfigFrom?.Network ?? '')),
      this.#config.defaultNetworkOptions,
    );
    const name = request.Name ?? '';
    if (this.list().some((network) => network.name === name)) throw new WharfError('conflict', networkNameInUse(name));
    if (this.#byId.size >= NETWORKS_MAX) {
      throw new WharfError('resource-exhausted', `Cannot create network "${name}": there are ${NETWORKS_MAX} already`);
    }
    const id = newId<'network'>();
    if (request.ConfigOnly === true) return this.#keep(this.#template(request, id));
    const network = withNetlink((netlink) => this.#complete(request, id, netlink));
    const sameBridge = this.list().find(({ bridge }) => bridge !== undefined && bridge.name === network.bridge?.name);
    if (sameBridge?.bridge) {
      const other = { id: sameBridge.id, name: sameBridge.bridge.name };
      throw new WharfError('permission-denied', sameBridgeName(id, other.name, other));
    }
    if (!network.parent) return this.#keep(network);
    return this.#keep({ ...network, parent: sharedParent(network.parent, this.list()) });
  }

  remove(network: NetworkRecord): void {
    this.#table.delete(network.id);
    this.#byId.delete(network.id);
    this.#addresses.delete(network.id);
  }

  /** Keeps a network that has changed; the addresses given out stay. */
  replace(network: NetworkRecord): void {
    this.#table.put(network.id, network);
    this.#byId.set(network.id, network);
  }

  /** The same network with another MTU. */
  withMtu(network: NetworkRecord, mtu: number): NetworkRecord {
    if (!network.bridge) return network;
    const shown = OPTION.mtu in network.options ? { [OPTION.mtu]: String(mtu) } : {};
    const changed = { ...network, bridge: { ...network.bridge, mtu }, options: { ...network.options, ...shown } };
    this.replace(changed);
    return changed;
  }

  #keep(network: NetworkRecord): NetworkRecord {
    this.#addresses.delete(network.id);
    this.replace(network);
    return network;
  }

  #template(request: NetworkCreateRequest, id: NetworkRecord['id']): NetworkRecord {
    const { EnableIPv4: ipv4, EnableIPv6: ipv6 } = request;
    const asked = { ...(typeof ipv4 === 'boolean' ? { ipv4 } : {}), ...(typeof ipv6 === 'boolean' ? { ipv6 } : {}) };
    return { ...recordOf(request, id), driver: 'null', configOnly: true, asked };
  }

  /** The request with all that has to be chosen chosen. */
  #complete(request: NetworkCreateRequest, id: NetworkRecord['id'], netlink: Netlink): NetworkRecord {
    const driver = driverOf(request);
    const options = request.Options ?? {};
    const record = recordOf(request, id);
    const settings =
      driver === 'bridge'
        ? {
            bridge: asFound(
              bridgeSettings(options, {
                id,
                mtu: this.#config.mtu,
                uplinkMtu: uplinkMtu(netlink),
                internal: record.internal,
              }),
              netlink,
            ),
          }
        : {
            parent: parentSettings(driver as 'macvlan' | 'ipvlan', options, {
              id,
              mtuOf: (link) => netlink.findLink(link)?.mtu,
            }),
          };
    const { bridge } = settings;
    const mtu = (settings.bridge ?? settings.parent).mtu;
    // A prefix of this daemon's own means nothing to the machines beside a parent link.
    const ipv6 = driver === 'bridge' && this.#config.ipv6 && kernelHasIPv6() && mtu >= IPV6_MTU_MIN;
    const families = familiesOf(request, ipv6);
    if (families.ipv6 && mtu < IPV6_MTU_MIN)
      throw new WharfError('invalid-argument', `IPv6 needs an MTU of at least ${IPV6_MTU_MIN}, not ${mtu}`);
    const noGateway4 = bridge?.gatewayMode4 === 'isolated' || (bridge?.inhibitIPv4 === true && record.internal);
    const facts = this.poolFacts(netlink);
    const pools = {
      ipv4: families.ipv4
        ? poolsOf(request.IPAM, { family: 4, gateway: bridge !== undefined && !noGateway4, facts })
        : [],
      ipv6: families.ipv6
        ? poolsOf(request.IPAM, {
            family: 6,
            gateway: bridge !== undefined && bridge.gatewayMode6 !== 'isolated',
            facts,
          })
        : [],
    };
    const network = { ...record, driver, ...pools, ...settings, ipam: shownIpam(request.IPAM, pools) };
    return wantsHostAccess(options) ? withHostAddress(network) : network;
  }

  /** What a new network's subnets may not collide with, as things are now. */
  poolFacts(netlink: Netlink, ignoring = ''): PoolFacts {
    const own = this.list().flatMap((network) =>
      [...network.ipv4, ...network.ipv6].flatMap((pool) => subnetsOfPool(pool, `network "${network.name}"`)),
    );
    const bridges = this.list().flatMap(({ bridge }) => bridge?.name ?? []);
    return { own, host: hostSubnets(netlink, [...bridges, ignoring]), defaults: this.#defaults };
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
    if (known) this.#byId.delete(known.id);
    const bridge = withNetlink((netlink) =>
      defaultBridgeRecord({
        config: this.#config,
        known,
        netlink,
        facts: this.poolFacts(netlink, this.#config.bridge),
        uplinkMtu: uplinkMtu(netlink),
        hasIPv6: kernelHasIPv6(),
      }),
    );
    if (known && JSON.stringify(known) === JSON.stringify(bridge)) this.#byId.set(known.id, known);
    else this.#keep(bridge);
  }
}

/** A bridge that was there before us stays as it is, and stays there after. */
const asFound = (bridge: BridgeSettings, netlink: Netlink): BridgeSettings =>
  netlink.findLink(bridge.name) ? { ...bridge, foreign: true } : bridge;

const subnetsOfPool = (pool: NetworkPool, holder: string): PoolFacts['own'] => {
  const subnet = parseCidr(pool.subnet)?.subnet;
  return subnet ? [{ subnet, holder }] : [];
};

/** `host_access`: one address of the network is this host's own. */
function withHostAddress(network: NetworkRecord): NetworkRecord {
  const lease = new NetworkAddresses(network).take(4, '');
  if (!lease || !network.parent)
    throw new WharfError('invalid-argument', 'host_access needs a macvlan network with an IPv4 subnet');
  return { ...network, parent: { ...network.parent, hostAddress: lease.address } };
}
