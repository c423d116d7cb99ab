import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, type Logger, messageOf } from '@wharf/kit';
import type { Netlink } from '@wharf/linux/netlink';
import type { LiveContainers } from './live-containers.ts';
import { hostLinkOf, type NetworkRecord } from './network.ts';
import { destroySandbox } from './sandbox.ts';

/** When links that should have gone by themselves are looked for. */
const SWEEP_MS = 1000;

/** Removes links and namespaces that are nobody's any more. */
export class StaleLinks {
  readonly #log: Logger;
  readonly #netlink: () => Netlink;
  /** Links on the host whose sandboxes were let go of. */
  readonly #leaving = new Set<string>();
  #sweep: NodeJS.Timeout | undefined;

  constructor(log: Logger, netlink: () => Netlink) {
    this.#log = log;
    this.#netlink = netlink;
  }

  /** The kernel removes a link with its namespace, unless a process (of a container that joined it) is left in there. */
  sweepLater(link: string): void {
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
      for (const name of links) if (present.has(name)) this.#delete(name);
    }, SWEEP_MS).unref();
  }

  /** Removes namespaces and links that no running container has. */
  clear(facts: {
    readonly live: LiveContainers;
    readonly netnsDir: string;
    readonly networks: readonly NetworkRecord[];
  }): void {
    const { live, netnsDir } = facts;
    for (const id of existsSync(netnsDir) ? readdirSync(netnsDir) : [])
      if (!live.get(id)) destroySandbox(join(netnsDir, id));
    const ours = new Set(
      live.all().flatMap(({ endpoints }) => endpoints.map(({ endpointId }) => hostLinkOf(endpointId))),
    );
    const links = this.#netlink().listLinks();
    const names = new Set(facts.networks.flatMap(({ bridge }) => bridge?.name ?? []));
    const bridges = new Set(links.filter(({ name }) => names.has(name)).map(({ index }) => index));
    for (const { kind, master, name } of links) {
      if (kind === 'veth' && bridges.has(master) && !ours.has(name) && name.startsWith('veth')) this.#delete(name);
    }
  }

  close(): void {
    clearTimeout(this.#sweep);
  }

  #delete(name: string): void {
    try {
      this.#netlink().deleteLink(name);
    } catch (error) {
      // Its namespace went a moment ago, and the link with it.
      if (!hasErrno(error, 'ENODEV'))
        this.#log.warn({ link: name, error: messageOf(error) }, 'Cannot remove a stale link');
    }
  }
}
