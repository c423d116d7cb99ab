import { Worker } from 'node:worker_threads';
import { type Logger, messageOf } from '@wharf/kit';
import { inNetns } from '@wharf/linux/namespaces';
import { endThread } from '@wharf/linux/thread';
import { DNS_RESTART_MS, DNS_THREAD_IDLE_MS } from '../limits.ts';
import type { NamedEndpoint } from './name-book.ts';
import type { DnsClient, DnsOrder } from './orders.ts';
import { openSockets } from './sockets.ts';

interface Served {
  readonly netnsPath: string;
  client: DnsClient;
  told: string;
}

/**
 * The embedded resolver of all containers. It listens inside each container's network namespace and answers from a thread of
 * this process. Here is what should be known there; a thread that fails is replaced and told everything anew.
 */
export class DnsService {
  readonly #log: Logger;
  readonly #endpoints = new Map<string, NamedEndpoint>();
  readonly #served = new Map<string, Served>();
  #hostServers: readonly string[] = [];
  #worker: Worker | undefined;
  #orders: DnsOrder[] = [];
  #retry: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Serves a container, or changes how it is served. `fresh`: the namespace was made just now. Throws `SystemError` or `NftError`. */
  serve(
    id: string,
    options: { readonly netnsPath: string; readonly fresh: boolean; readonly client: DnsClient },
  ): void {
    const { netnsPath, client } = options;
    const known = this.#served.get(id);
    const told = JSON.stringify(client);
    if (known && known.netnsPath === netnsPath && !options.fresh) {
      if (known.told === told) return;
      Object.assign(known, { client, told });
      this.#tell({ kind: 'change', id, client });
      return;
    }
    const sockets = inNetns(netnsPath, () => openSockets(options.fresh));
    this.#served.set(id, { netnsPath, client, told });
    this.#ensureThread();
    this.#tell({ kind: 'open', id, ...sockets, client });
  }

  /** Idempotent. */
  leave(id: string): void {
    if (!this.#served.delete(id)) return;
    this.#tell({ kind: 'close', id });
    if (this.#served.size === 0) this.#idle ??= setTimeout(() => this.#end(), DNS_THREAD_IDLE_MS).unref();
  }

  name(endpoint: NamedEndpoint): void {
    this.#endpoints.set(endpoint.endpointId, endpoint);
    this.#tell({ kind: 'name', endpoint });
  }

  forget(endpointId: string): void {
    if (this.#endpoints.delete(endpointId)) this.#tell({ kind: 'forget', endpointId });
  }

  /** The host's resolvers, for containers that have none of their own. */
  setHostServers(servers: readonly string[]): void {
    if (servers.join() === this.#hostServers.join()) return;
    this.#hostServers = servers;
    this.#tell({ kind: 'host', servers });
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#served.clear();
    this.#end();
  }

  /** What is ordered in one turn goes over in one message. */
  #tell(order: DnsOrder): void {
    if (!this.#worker) return;
    this.#orders.push(order);
    if (this.#orders.length === 1) queueMicrotask(() => this.#send());
  }

  #send(): void {
    const orders = this.#orders;
    this.#orders = [];
    if (orders.length > 0) this.#worker?.postMessage(orders);
  }

  #ensureThread(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    if (this.#worker) return;
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { name: 'wharf-dns', trackUnmanagedFds: false });
    worker.unref();
    worker.on('error', (error) => this.#log.error({ error: messageOf(error) }, 'The DNS thread failed'));
    worker.on('exit', () => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#retry = setTimeout(() => this.#recover(), DNS_RESTART_MS).unref();
    });
    this.#worker = worker;
    this.#orders = [
      { kind: 'host', servers: this.#hostServers },
      ...[...this.#endpoints.values()].map((endpoint): DnsOrder => ({ kind: 'name', endpoint })),
    ];
    queueMicrotask(() => this.#send());
  }

  /** The sockets went with the thread. */
  #recover(): void {
    if (this.#served.size === 0) return;
    this.#ensureThread();
    for (const [id, { netnsPath, client }] of this.#served) {
      try {
        const sockets = inNetns(netnsPath, () => openSockets(false));
        this.#tell({ kind: 'open', id, ...sockets, client });
      } catch (error) {
        this.#log.error({ container: id, error: messageOf(error) }, 'Cannot open the resolver of a container again');
      }
    }
  }

  #end(): void {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#orders = [];
    clearTimeout(this.#idle);
    this.#idle = undefined;
    if (worker !== undefined) void endThread(worker);
  }
}
