/** Links, addresses and routes of a network namespace, without a process and in one round trip where it can be. */
import { closeSync, openSync } from 'node:fs';
import { SystemError } from './errno.ts';
import { inNetns } from './namespaces.ts';
import {
  type Address,
  decodeAddress,
  deleteAddress,
  dumpAddresses,
  ensureAddress,
  newAddress,
} from './netlink/address.ts';
import {
  type BridgePortSettings,
  changeBridgePort,
  changeLink,
  decodeLink,
  deleteLink,
  dumpLinks,
  getLink,
  type Link,
  newLink,
  newUpperLink,
  newVeth,
  renameLink,
  type UpperKind,
} from './netlink/link.ts';
import {
  decodeRoute,
  deleteRoute,
  dumpRoutes,
  newRoute,
  type Route,
  type RouteSpec,
  replaceRoute,
} from './netlink/route.ts';
import { NetlinkSocket } from './netlink/socket.ts';

export type { Address } from './netlink/address.ts';
export { decodeIp, encodeIp, parsePrefix } from './netlink/ip.ts';
export {
  type IpvlanFlag,
  type IpvlanMode,
  type Link,
  type MacvlanMode,
  parseMac,
  type UpperKind,
} from './netlink/link.ts';
export type { Route } from './netlink/route.ts';

export interface VethOptions {
  readonly name: string;
  readonly peer: string;
  /** Where the peer is born: a descriptor or a path of a network namespace; here when absent. */
  readonly peerNetns?: number | string | undefined;
  /** Of both ends. */
  readonly mtu?: number | undefined;
  /** Of the peer. */
  readonly mac?: string | undefined;
  /** Of this end. */
  readonly hostMac?: string | undefined;
  /** Index of the bridge that this end joins. */
  readonly master?: number | undefined;
  /** How the bridge treats this end. */
  readonly port?: BridgePortSettings | undefined;
  /** Brings this end up at once; the peer cannot be before it is born (veth answers ENOTCONN). */
  readonly up?: boolean | undefined;
}

export interface AddRouteOptions {
  /** `a.b.c.d/n`; the default route when absent. */
  readonly dst?: string | undefined;
  readonly gateway?: string | undefined;
  readonly ifname?: string | undefined;
  readonly src?: string | undefined;
  readonly metric?: number | undefined;
  /** Of a default route without a gateway; 4 when absent. */
  readonly family?: 4 | 6 | undefined;
}

export interface UpperLinkOptions {
  readonly name: string;
  /** The link below, in this namespace. */
  readonly parent: string;
  readonly type: UpperKind;
  /** Where the link is born: a path of a network namespace; here when absent. */
  readonly netns?: string | undefined;
  readonly mtu?: number | undefined;
  readonly mac?: string | undefined;
  readonly up?: boolean | undefined;
}

/** What a link in a fresh namespace is to be; see `Netlink.configure`. */
export interface LinkConfiguration {
  readonly ifname: string;
  /** `address/n`. */
  readonly addresses: readonly string[];
  /** Default routes, one of each family at most. */
  readonly gateways: readonly string[];
  /** Families whose default route leads to the link itself, without a gateway. */
  readonly direct?: readonly (4 | 6)[];
  readonly loopback?: boolean;
  /** The link's own address, set once more at the end: with arp_notify and ndisc_notify the kernel then tells the neighbours. */
  readonly announce?: string | undefined;
}

/**
 * A session with the kernel's routing tables in the network namespace it was opened in; it stays with that namespace.
 * Every call is synchronous and throws `SystemError` with the kernel's own words where it gives any
 * (`EEXIST`, `ENODEV`, `EBUSY`, …).
 */
export class Netlink {
  readonly #socket: NetlinkSocket;
  readonly #indexes = new Map<string, number>();

  private constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /** In the current namespace of this thread. */
  static open(): Netlink {
    return new Netlink(new NetlinkSocket());
  }

  /** In the namespace that a path pins or a descriptor names; this thread is where it was afterwards. */
  static openIn(netns: string | number): Netlink {
    return inNetns(netns, () => Netlink.open());
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  createBridge(
    name: string,
    options: { readonly mtu?: number; readonly mac?: string; readonly up?: boolean } = {},
  ): void {
    this.#socket.execute([newLink(name, 'bridge', options)]);
  }

  createVeth(options: VethOptions): void {
    const netnsFd = typeof options.peerNetns === 'string' ? openSync(options.peerNetns, 'r') : options.peerNetns;
    try {
      const { mtu, up } = options;
      this.#socket.execute([
        newVeth(options.name, { mtu, up, mac: options.hostMac, master: options.master }, options.peer, {
          mtu,
          mac: options.mac,
          netnsFd,
        }),
        ...(options.port === undefined ? [] : [changeBridgePort(options.name, options.port)]),
      ]);
    } finally {
      if (typeof options.peerNetns === 'string' && netnsFd !== undefined) closeSync(netnsFd);
    }
  }

  /** A link of a kind that needs no data (`dummy`). Throws EOPNOTSUPP when the kernel lacks it. */
  createLink(name: string, kind: string, options: { readonly mtu?: number; readonly up?: boolean } = {}): void {
    this.#socket.execute([newLink(name, kind, options)]);
  }

  /** A macvlan, ipvlan or VLAN link on top of another. Throws EOPNOTSUPP when the kernel lacks it. */
  createUpperLink(options: UpperLinkOptions): void {
    const { name, parent, type, mtu, mac, up } = options;
    const netnsFd = options.netns === undefined ? undefined : openSync(options.netns, 'r');
    try {
      this.#socket.execute([newUpperLink(name, this.indexOf(parent), type, { mtu, mac, up, netnsFd })]);
    } finally {
      if (netnsFd !== undefined) closeSync(netnsFd);
    }
  }

  /** Puts a link into a bridge, or takes it out (`undefined`). */
  setMaster(ifname: string, master: string | undefined): void {
    this.#socket.execute([changeLink(ifname, { master: master === undefined ? 0 : this.indexOf(master) })]);
  }

  setUp(ifname: string): void {
    this.#socket.execute([changeLink(ifname, { up: true })]);
  }

  setDown(ifname: string): void {
    this.#socket.execute([changeLink(ifname, { down: true })]);
  }

  setMtu(ifname: string, mtu: number): void {
    this.#socket.execute([changeLink(ifname, { mtu })]);
  }

  setMac(ifname: string, mac: string): void {
    this.#socket.execute([changeLink(ifname, { mac })]);
  }

  rename(ifname: string, to: string): void {
    const index = this.indexOf(ifname);
    this.#indexes.delete(ifname);
    this.#socket.execute([renameLink(index, to)]);
  }

  /** Moves a link to another namespace. */
  setNetnsOf(ifname: string, netns: number | string): void {
    const netnsFd = typeof netns === 'string' ? openSync(netns, 'r') : netns;
    try {
      this.#indexes.delete(ifname);
      this.#socket.execute([changeLink(ifname, { netnsFd })]);
    } finally {
      if (typeof netns === 'string') closeSync(netnsFd);
    }
  }

  /** Adds `a.b.c.d/n`, with its broadcast address. IPv6 addresses are usable at once (no duplicate detection). */
  addAddress(ifname: string, prefix: string): void {
    this.#socket.execute([newAddress(this.indexOf(ifname), prefix)]);
  }

  /** Adds several in one go; those that are there stay. */
  addAddresses(ifname: string, prefixes: readonly string[]): void {
    const index = this.indexOf(ifname);
    this.#socket.execute(prefixes.map((prefix) => ensureAddress(index, prefix)));
  }

  deleteAddress(ifname: string, prefix: string): void {
    this.#socket.execute([deleteAddress(this.indexOf(ifname), prefix)]);
  }

  addRoute(options: AddRouteOptions): void {
    this.#socket.execute([newRoute(this.#routeSpec(options))]);
  }

  /** As `addRoute`; a route to the same destination with the same metric gives way. */
  replaceRoute(options: AddRouteOptions): void {
    this.#socket.execute([replaceRoute(this.#routeSpec(options))]);
  }

  deleteRoute(options: AddRouteOptions): void {
    this.#socket.execute([deleteRoute(this.#routeSpec(options))]);
  }

  /**
   * What a fresh namespace needs, in one message to the kernel: `lo` and the link up, the link's addresses, and default
   * routes through it.
   */
  configure(options: LinkConfiguration): void {
    const { ifname, announce } = options;
    const index = this.indexOf(ifname);
    this.#socket.execute([
      ...(options.loopback === true ? [changeLink('lo', { up: true })] : []),
      changeLink(ifname, { up: true }),
      ...options.addresses.map((address) => newAddress(index, address)),
      ...options.gateways.map((gateway) => newRoute({ gateway, ifindex: index })),
      ...(options.direct ?? []).map((family) => newRoute({ family, ifindex: index })),
      ...(announce === undefined ? [] : [changeLink(ifname, { mac: announce })]),
    ]);
  }

  /** Deletes a link and with it its peer. Throws ENODEV when there is none. */
  deleteLink(ifname: string): void {
    this.#indexes.delete(ifname);
    this.#socket.execute([deleteLink(ifname)]);
  }

  /** One link by name, `undefined` when there is none. */
  findLink(ifname: string): Link | undefined {
    try {
      const [message] = this.#socket.query(getLink(ifname));
      return message === undefined ? undefined : decodeLink(message);
    } catch (error) {
      if (error instanceof SystemError && error.code === 'ENODEV') return undefined;
      throw error;
    }
  }

  /** The index of a link, remembered for the life of this session. Throws ENODEV. */
  indexOf(ifname: string): number {
    const known = this.#indexes.get(ifname);
    if (known !== undefined) return known;
    const index = this.#socket.linkIndex(ifname);
    this.#indexes.set(ifname, index);
    return index;
  }

  listLinks(): Link[] {
    return this.#socket.query(dumpLinks()).map(decodeLink);
  }

  listAddresses(): Address[] {
    return this.#socket.query(dumpAddresses()).map(decodeAddress);
  }

  /** The routes of every table; `table` 254 is the main one. */
  listRoutes(): Route[] {
    return this.#socket.query(dumpRoutes()).map(decodeRoute);
  }

  #routeSpec(options: AddRouteOptions): RouteSpec {
    const { dst, gateway, src, metric, ifname, family } = options;
    return { dst, gateway, src, metric, family, ifindex: ifname === undefined ? undefined : this.indexOf(ifname) };
  }
}

/** Runs `work` with a session in the current namespace and closes it after. `work` must be synchronous. */
export function withNetlink<T>(work: (netlink: Netlink) => T): T {
  using netlink = Netlink.open();
  return work(netlink);
}
