import type { Duplex } from 'node:stream';
import { ByteSource } from './byte-source.ts';
import { dial, type Wire } from './dial.ts';
import type { Endpoint } from './endpoint.ts';
import { DOCKER_CLIENT_LIMITS } from './limits.ts';

/** A connection that carries one request at a time. */
export class Connection {
  readonly source: ByteSource;
  readonly #wire: Wire;
  readonly #onEnd = (): void => void this.stream.destroy();
  /** It has carried a request before. */
  isReused = false;
  idleSince = 0;

  constructor(wire: Wire) {
    this.#wire = wire;
    this.source = new ByteSource(wire.stream);
  }

  get stream(): Duplex {
    return this.#wire.stream;
  }

  /** Between requests the daemon may close it, and it keeps nobody alive. */
  rest(): void {
    this.idleSince = monotonicMs();
    this.stream.once('end', this.#onEnd);
    this.#wire.hold(false);
  }

  wake(): void {
    this.isReused = true;
    this.stream.off('end', this.#onEnd);
    this.#wire.hold(true);
  }
}

/** Not `performance`, whose first use loads ten of Node's modules: 2 ms of a short command. */
function monotonicMs(): number {
  return process.uptime() * 1000;
}

/** Connections to one daemon that are kept for the next request. None of those that wait keeps the process alive. */
export class ConnectionPool {
  readonly #endpoint: Endpoint;
  readonly #idle: Connection[] = [];

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  async take({ fresh = false }: { readonly fresh?: boolean } = {}): Promise<Connection> {
    while (!fresh) {
      const known = this.#idle.pop();
      if (known === undefined) break;
      if (known.source.isSpent || monotonicMs() - known.idleSince > DOCKER_CLIENT_LIMITS.idleMs) {
        known.stream.destroy();
        continue;
      }
      known.wake();
      return known;
    }
    return new Connection(await dial(this.#endpoint));
  }

  give(connection: Connection): void {
    if (connection.source.isSpent || this.#idle.length >= DOCKER_CLIENT_LIMITS.idleConnections) {
      connection.stream.destroy();
      return;
    }
    connection.rest();
    this.#idle.push(connection);
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.stream.destroy();
  }
}
