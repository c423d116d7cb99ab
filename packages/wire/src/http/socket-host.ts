import type { Server, Socket } from 'node:net';
import type { Logger } from '@wharf/kit';
import { Connection, type ConnectionHost, type Plan } from './connection.ts';
import type { Exchange } from './exchange.ts';
import { HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { type ListenOptions, openListener } from './listen.ts';

/** A place where a server listens. */
export interface Listening {
  /** The host as given, with the port that was chosen where it was 0: `tcp://127.0.0.1:2375`, `unix:///run/x.sock`. */
  readonly host: string;
  readonly server: Server;
  /**
   * Reads certificate, key and authorities again; connections from now on see them. Throws what is wrong with the files, with the
   * old ones still in use. Nothing where TLS is not spoken.
   */
  renewCertificate(): void;
}

/**
 * The sockets of one HTTP server: where it listens, who is connected, who is idle for too long. What a request means is the
 * subclass's affair (`plan`).
 */
export abstract class SocketHost implements ConnectionHost {
  abstract readonly baseHeaders: string;
  readonly limits: HttpLimits;
  protected readonly log: Logger;
  readonly #connections = new Set<Connection>();
  readonly #sockets = new Set<Socket>();
  /** Everything that was accepted and is open, also what has not come through its TLS handshake. */
  readonly #accepted = new Set<Socket>();
  readonly #listening: Listening[] = [];
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: { readonly log: Logger; readonly limits?: Partial<HttpLimits> | undefined }) {
    this.log = options.log;
    this.limits = { ...HTTP_LIMITS, ...options.limits };
  }

  abstract plan(exchange: Exchange): Plan;

  /** Sockets now open, hijacked ones included. */
  get connectionCount(): number {
    return this.#sockets.size;
  }

  /**
   * Listens on `unix://PATH`, `tcp://HOST:PORT` or `fd://N`. Throws `already-exists` when a live daemon has the socket, `invalid-argument`
   * for what is no such address.
   */
  async listen(host: string, options: ListenOptions = {}): Promise<Listening> {
    const listening = await openListener(host, options, (socket) => this.handleConnection(socket));
    listening.server.on('connection', (socket: Socket) => {
      this.#accepted.add(socket);
      socket.once('close', () => this.#accepted.delete(socket));
    });
    this.#listening.push(listening);
    return listening;
  }

  /** Has every listener read its certificate again. Throws for the first that cannot be used; what was in use stays in use there. */
  renewCertificates(): void {
    for (const listening of this.#listening) listening.renewCertificate();
  }

  /** Serves one connected socket, which must have been made with `allowHalfOpen`. */
  handleConnection(socket: Socket): void {
    if (this.#sockets.size >= this.limits.connections && !this.#makeRoom()) {
      this.log.warn({ connections: this.#sockets.size }, 'connection refused: too many');
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#connections.add(new Connection(socket, this));
    this.#sweep ??= setInterval(() => this.#checkTimeouts(), this.limits.sweepMs).unref();
  }

  /** Stops listening, closes idle connections, and gives the others `graceMs` before they are broken off. */
  async close({ graceMs = 0 }: { readonly graceMs?: number } = {}): Promise<void> {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    const closed = this.#listening.map(({ server }) => new Promise<void>((resolve) => server.close(() => resolve())));
    this.#listening.length = 0;
    for (const connection of this.#connections) if (connection.isIdle) connection.socket.destroy();
    const cut = setTimeout(() => {
      for (const socket of [...this.#sockets, ...this.#accepted]) socket.destroy();
    }, graceMs);
    await Promise.all(closed);
    clearTimeout(cut);
    // Sockets another server accepted are not waited for.
    for (const socket of this.#sockets) socket.destroy();
  }

  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  #makeRoom(): boolean {
    for (const connection of this.#connections) {
      // The set is in the order of arrival, which is near enough to the order of last use.
      if (connection.isIdle) {
        this.#sockets.delete(connection.socket);
        connection.socket.destroy();
        return true;
      }
    }
    return false;
  }

  #checkTimeouts(): void {
    const now = performance.now();
    for (const connection of this.#connections) connection.checkTimeouts(now);
  }
}
