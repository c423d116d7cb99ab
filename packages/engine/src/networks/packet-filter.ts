import { type Logger, messageOf } from '@wharf/kit';
import { type Flow, forgetUdpFlows } from '@wharf/linux/conntrack';
import { Nft, NftError } from '@wharf/linux/nftables';
import {
  addForwards,
  addNetwork,
  type FilteredNetwork,
  fullTable,
  type PortForward,
  removeForwards,
  removeNetwork,
  tableNameOf,
} from './nft-plan.ts';

/**
 * Keeps this daemon's table in the kernel as the books say. The books here are what should be; a transaction that the kernel
 * refuses because somebody flushed or changed the table is answered by writing the whole table anew.
 */
export class PacketFilter {
  readonly #table: string;
  readonly #log: Logger;
  readonly #networks = new Map<string, FilteredNetwork>();
  readonly #forwards = new Map<string, readonly PortForward[]>();
  #nft: Nft | undefined;

  constructor(options: { readonly bridge: string; readonly log: Logger }) {
    this.#table = tableNameOf(options.bridge);
    this.#log = options.log;
  }

  /** Writes the whole table. */
  rebuild(): void {
    this.#open().apply(fullTable(this.#table, [...this.#networks.values()], [...this.#forwards.values()].flat()));
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

  /**
   * True when the host's own firewall drops what it is not told to forward, as Docker sets it up. Its drop stands whatever our
   * table accepts, and its tables are not ours to change: containers are then cut off from other machines.
   */
  hostDropsForwarded(): boolean {
    try {
      const chains = this.#open().list('list chain ip filter FORWARD');
      return chains.some((object) => (object['chain'] as { readonly policy?: unknown } | undefined)?.policy === 'drop');
    } catch (error) {
      if (error instanceof NftError) return false;
      throw error;
    }
  }

  /** Writes the table anew when somebody has removed it. */
  ensure(): void {
    if (this.#networks.size === 0) return;
    try {
      this.#open().list(`list chain ip ${this.#table} publish`);
    } catch (error) {
      if (!(error instanceof NftError)) throw error;
      this.#log.warn({ table: this.#table }, 'The packet filter table was gone and is written anew');
      this.rebuild();
    }
  }

  close(): void {
    this.#nft?.close();
    this.#nft = undefined;
  }

  /** A steady UDP client would keep to the way its first packet took: to a container that is gone, or to nobody. */
  #forgetFlows(forwards: readonly PortForward[], which: (flow: Flow, forward: PortForward) => boolean): void {
    for (const forward of forwards) {
      if (forward.protocol !== 'udp') continue;
      try {
        forgetUdpFlows(forward.hostPort, (flow) => which(flow, forward));
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
    try {
      this.#open().apply(script);
    } catch (error) {
      if (!(error instanceof NftError)) throw error;
      this.#log.warn({ table: this.#table, error: messageOf(error) }, 'The packet filter table is written anew');
      this.rebuild();
    }
  }
}

const leadsTo = ({ reply }: Flow, { address }: PortForward): boolean => reply.source === address;

/** The flow came to that port of this host, and somebody else than the container answers. */
function arrivesElsewhere({ original, reply }: Flow, forward: PortForward): boolean {
  const here = forward.hostIp === '0.0.0.0' || forward.hostIp === original.destination;
  // What a container sends to that port of another machine is masqueraded and nothing else.
  const passesOut = reply.source === original.destination && reply.destination !== original.source;
  return here && !passesOut && reply.source !== forward.address;
}
