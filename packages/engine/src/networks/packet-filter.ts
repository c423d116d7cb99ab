import { type Logger, messageOf } from '@wharf/kit';
import { type Flow, forgetUdpFlows } from '@wharf/linux/conntrack';
import { Nft, NftError } from '@wharf/linux/nftables';
import { nftGeneration, watchNftables } from '@wharf/linux/nftables-watch';
import { type ForwardBlock, forwardBlocks } from './host-firewall.ts';
import { RULES_SETTLE_MS } from './limits.ts';
import {
  addForwards,
  addNetwork,
  elementCounts,
  type FilteredNetwork,
  fullTable,
  type PortForward,
  removeForwards,
  removeNetwork,
  tableNameOf,
} from './nft-plan.ts';

/** How often the table is written when others keep changing theirs at the same time. */
const REBUILD_ATTEMPTS = 5;
/** No count of the kernel's: the next look is a thorough one. */
const UNSURE = -2;

/**
 * Keeps this daemon's table in the kernel as the books say.
 * - The books here are what should be; a transaction that the kernel refuses because somebody flushed or changed the table
 *   is answered by writing the whole table anew.
 * - The kernel counts transactions. One that is not ours makes us look at the table, and repair it if it was touched.
 */
export class PacketFilter {
  readonly #table: string;
  readonly #log: Logger;
  readonly #networks = new Map<string, FilteredNetwork>();
  readonly #forwards = new Map<string, readonly PortForward[]>();
  readonly #relayPort: () => number;
  #nft: Nft | undefined;
  #watch: { close(): void } | undefined;
  /** The kernel's count after the last look or change of ours. */
  #generation = -1;
  #rules = 0;
  #settling: NodeJS.Timeout | undefined;

  /** `relayPort` is asked when the table is written: where the relay for [::1] listens, 0 for none. */
  constructor(options: { readonly bridge: string; readonly log: Logger; readonly relayPort: () => number }) {
    this.#table = tableNameOf(options.bridge);
    this.#log = options.log;
    this.#relayPort = options.relayPort;
  }

  /** Writes the whole table. */
  rebuild(): void {
    this.#watchOthers();
    for (let attempt = 1; ; attempt++) {
      const before = nftGeneration();
      this.#open().apply(
        fullTable(this.#table, [...this.#networks.values()], [...this.#forwards.values()].flat(), this.#relayPort()),
      );
      const rules = this.#countRules();
      const after = nftGeneration();
      // What was counted is ours only if nobody else changed anything since: it is what later looks compare with.
      const isOurs = rules !== undefined && after === before + 1;
      if (!isOurs && attempt < REBUILD_ATTEMPTS) continue;
      this.#rules = rules ?? 0;
      this.#generation = isOurs ? after : UNSURE;
      return;
    }
  }

  /** Takes networks and ports into the books without touching the kernel: `rebuild` comes after. */
  load(networks: readonly FilteredNetwork[]): void {
    for (const network of networks) this.#networks.set(network.bridge, network);
  }

  addNetwork(network: FilteredNetwork): void {
    if (this.#networks.has(network.bridge)) return;
    this.#networks.set(network.bridge, network);
    this.#applyOrRebuild(addNetwork(this.#table, network));
  }

  removeNetwork(bridge: string): void {
    const network = this.#networks.get(bridge);
    if (!network) return;
    this.#networks.delete(bridge);
    this.#applyOrRebuild(removeNetwork(this.#table, network));
  }

  /** Publishes a container's ports, all or none. Replaces nothing: take them back first. */
  publish(containerId: string, forwards: readonly PortForward[]): void {
    if (forwards.length === 0) return;
    this.#forwards.set(containerId, forwards);
    try {
      this.#applyOrRebuild(addForwards(this.#table, forwards));
      this.#forgetFlows(forwards, arrivesElsewhere);
    } catch (error) {
      this.#forwards.delete(containerId);
      throw error;
    }
  }

  /** Publishes these ports and no others of that container, in one transaction that leaves alone what stays. */
  republish(containerId: string, forwards: readonly PortForward[]): void {
    this.republishAll([[containerId, forwards]]);
  }

  /** As `republish`, for several containers in one transaction: what one gives up another may take. */
  republishAll(changes: readonly (readonly [containerId: string, forwards: readonly PortForward[]])[]): void {
    const texts = (list: readonly PortForward[]): Set<string> => new Set(list.map((one) => JSON.stringify(one)));
    const before = changes.flatMap(([containerId]) => this.#forwards.get(containerId) ?? []);
    const after = changes.flatMap(([, forwards]) => forwards);
    const [old, now] = [texts(before), texts(after)];
    const removed = before.filter((one) => !now.has(JSON.stringify(one)));
    const added = after.filter((one) => !old.has(JSON.stringify(one)));
    for (const [containerId, forwards] of changes) {
      if (forwards.length > 0) this.#forwards.set(containerId, forwards);
      else this.#forwards.delete(containerId);
    }
    this.#applyOrRebuild(removeForwards(this.#table, removed) + addForwards(this.#table, added));
    this.#forgetFlows(removed, leadsTo);
    this.#forgetFlows(added, arrivesElsewhere);
  }

  /** As `publish`, for the books alone: `rebuild` comes after. */
  loadForwards(containerId: string, forwards: readonly PortForward[]): void {
    if (forwards.length > 0) this.#forwards.set(containerId, forwards);
  }

  /** Idempotent. */
  unpublish(containerId: string): void {
    const forwards = this.#forwards.get(containerId);
    if (!forwards) return;
    this.#forwards.delete(containerId);
    this.#applyOrRebuild(removeForwards(this.#table, forwards));
    this.#forgetFlows(forwards, leadsTo);
  }

  /** Where a connection to `[::1]:port` of this host leads. */
  targetOf(port: number): { readonly address: string; readonly port: number } | undefined {
    for (const forward of [...this.#forwards.values()].flat()) {
      const { protocol, hostIp, hostPort, count } = forward;
      if (protocol !== 'tcp' || (hostIp !== '::' && hostIp !== '::1') || forward.routed === true) continue;
      if (port >= hostPort && port < hostPort + count) {
        return { address: forward.address, port: forward.port + port - hostPort };
      }
    }
    return undefined;
  }

  /** What of this host keeps packets from containers whatever our table says; see `forwardBlocks`. */
  hostBlocks(): readonly ForwardBlock[] {
    try {
      return forwardBlocks(this.#open());
    } catch (error) {
      if (error instanceof NftError) return [];
      throw error;
    }
  }

  /** Writes the table anew when somebody has removed it or taken something out of it. Cheap while nobody did. */
  ensure(): void {
    if (this.#networks.size === 0 || this.#generation === -1) return;
    const generation = nftGeneration();
    if (generation === this.#generation) return;
    this.#generation = generation;
    if (this.#isWhole()) return;
    this.#log.warn({ table: this.#table }, 'The packet filter table was changed by somebody and is written anew');
    this.rebuild();
  }

  close(): void {
    clearTimeout(this.#settling);
    this.#watch?.close();
    this.#watch = undefined;
    this.#nft?.close();
    this.#nft = undefined;
  }

  #watchOthers(): void {
    if (this.#watch) return;
    try {
      this.#watch = watchNftables(() => this.#lookSoon());
    } catch (error) {
      this.#log.warn({ error: messageOf(error) }, 'Cannot watch the packet filter: looking at times instead');
      this.#watch = { close() {} };
    }
  }

  /** Another program may be in the middle of replacing everything: what it does is let come to rest first. */
  #lookSoon(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined;
      try {
        this.ensure();
      } catch (error) {
        this.#log.error({ error: messageOf(error) }, 'Cannot write the packet filter rules');
      }
    }, RULES_SETTLE_MS).unref();
  }

  #isWhole(): boolean {
    let found: { rules: number; elements: ReadonlyMap<string, number> };
    try {
      found = this.#contents();
    } catch (error) {
      if (error instanceof NftError) return false;
      throw error;
    }
    if (found.rules !== this.#rules) return false;
    const wanted = elementCounts([...this.#networks.values()], [...this.#forwards.values()].flat());
    return [...found.elements].every(([set, count]) => count === (wanted.get(set) ?? 0));
  }

  #countRules(): number | undefined {
    try {
      return this.#contents().rules;
    } catch (error) {
      if (error instanceof NftError) return undefined;
      throw error;
    }
  }

  /** libnftables-json(5): a list of `{"rule": …}`, `{"set": {"name", "elem"}}`, `{"map": …}`. */
  #contents(): { rules: number; elements: ReadonlyMap<string, number> } {
    const objects = this.#open().list(`list table inet ${this.#table}`);
    const elements = new Map<string, number>();
    for (const object of objects) {
      const set = (object['set'] ?? object['map']) as
        | { readonly name: string; readonly elem?: readonly unknown[] }
        | undefined;
      if (set) elements.set(set.name, set.elem?.length ?? 0);
    }
    return { rules: objects.filter((object) => object['rule'] !== undefined).length, elements };
  }

  /** A steady UDP client would keep to the way its first packet took: to a container that is gone, or to nobody. */
  #forgetFlows(forwards: readonly PortForward[], which: (flow: Flow, forward: PortForward) => boolean): void {
    for (const forward of forwards) {
      if (forward.protocol !== 'udp' || forward.routed === true) continue;
      const { hostIp, hostPort, count } = forward;
      try {
        forgetUdpFlows({ family: hostIp.includes(':') ? 6 : 4, first: hostPort, last: hostPort + count - 1 }, (flow) =>
          which(flow, forward),
        );
      } catch (error) {
        // Without ctnetlink in the kernel flows end when nothing was sent for a while.
        this.#log.debug({ port: forward.hostPort, error: messageOf(error) }, 'Cannot make the kernel forget UDP flows');
      }
    }
  }

  #open(): Nft {
    this.#nft ??= new Nft();
    return this.#nft;
  }

  #applyOrRebuild(script: string): void {
    if (script === '') return;
    if (this.#generation === -1) {
      this.rebuild();
      return;
    }
    const before = nftGeneration();
    try {
      this.#open().apply(script);
    } catch (error) {
      if (!(error instanceof NftError)) throw error;
      this.#log.warn({ table: this.#table, error: messageOf(error) }, 'The packet filter table is written anew');
      this.rebuild();
      return;
    }
    // Ours is the only change since the last look: no need for another.
    const after = nftGeneration();
    if (before === this.#generation && after === before + 1) this.#generation = after;
  }
}

const leadsTo = ({ reply }: Flow, { address }: PortForward): boolean => reply.source === address;

/** The flow came to that port of this host, and somebody else than the container answers. */
function arrivesElsewhere({ original, reply }: Flow, forward: PortForward): boolean {
  const any = forward.hostIp === '0.0.0.0' || forward.hostIp === '::';
  const here = any || forward.hostIp === original.destination;
  // What a container sends to that port of another machine is masqueraded and nothing else.
  const passesOut = reply.source === original.destination && reply.destination !== original.source;
  return here && !passesOut && reply.source !== forward.address;
}
