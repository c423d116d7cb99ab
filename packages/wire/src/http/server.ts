import type { Server, Socket } from 'node:net';
import { isKind, type Logger, messageOf, WharfError } from '@wharf/kit';
import { PAGE_NOT_FOUND } from '../docker/messages.ts';
import {
  type ApiVersionRange,
  checkApiVersion,
  DOCKER_API_VERSIONS,
  formatApiVersion,
  parseVersionPrefix,
} from '../docker/versions.ts';
import { Connection, type ConnectionHost, type Plan } from './connection.ts';
import type { Exchange } from './exchange.ts';
import { HTTP_LIMITS, type HttpLimits } from './limits.ts';
import { type ListenOptions, openListener } from './listen.ts';
import { ServerRequest } from './request.ts';
import { ServerResponse } from './response.ts';
import type { ApiVersion, Route } from './route.ts';
import { parseTarget, type RouteMatch, Router, type Target } from './router.ts';
import { answerFor } from './status.ts';

export interface HttpServerOptions {
  readonly routes: readonly Route[];
  readonly log: Logger;
  /** What `Server: Wharf/<version> (linux)` says. */
  readonly serverVersion: string;
  readonly versions?: ApiVersionRange;
  readonly limits?: Partial<HttpLimits>;
  /** Maps what a handler threw to status and sentence; the default is `answerFor`. */
  readonly errorAnswer?: (error: unknown) => { readonly status: number; readonly message: string };
}

/** A place where the server listens. */
export interface Listening {
  /** The host as given, with the port that was chosen where it was 0: `tcp://127.0.0.1:2375`, `unix:///run/x.sock`. */
  readonly host: string;
  readonly server: Server;
}

/**
 * The HTTP server of the Engine API, on any number of sockets.
 *
 * It speaks HTTP/1 itself (docs/decisions): Docker's hijack, with and without `Upgrade`, on fresh and reused connections, with stdin
 * right behind the head and a FIN that only ends stdin, cannot be had from node:http without reaching into its parser.
 */
export class HttpServer implements ConnectionHost {
  readonly baseHeaders: string;
  readonly limits: HttpLimits;
  readonly #router: Router;
  readonly #log: Logger;
  readonly #versions: ApiVersionRange;
  readonly #errorAnswer: NonNullable<HttpServerOptions['errorAnswer']>;
  readonly #connections = new Set<Connection>();
  readonly #sockets = new Set<Socket>();
  readonly #listening: Listening[] = [];
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: HttpServerOptions) {
    this.#router = new Router(options.routes);
    this.#log = options.log;
    this.#versions = options.versions ?? DOCKER_API_VERSIONS;
    this.#errorAnswer = options.errorAnswer ?? answerFor;
    this.limits = { ...HTTP_LIMITS, ...options.limits };
    this.baseHeaders =
      `Api-Version: ${formatApiVersion(this.#versions.max)}\r\nDocker-Experimental: false\r\nOstype: linux\r\n` +
      `Server: Wharf/${options.serverVersion} (linux)\r\n`;
  }

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
    this.#listening.push(listening);
    return listening;
  }

  /** Serves one connected socket, which must have been made with `allowHalfOpen`. */
  handleConnection(socket: Socket): void {
    if (this.#sockets.size >= this.limits.connections && !this.#makeRoom()) {
      this.#log.warn({ connections: this.#sockets.size }, 'connection refused: too many');
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
      for (const socket of this.#sockets) socket.destroy();
    }, graceMs);
    await Promise.all(closed);
    clearTimeout(cut);
    // Sockets another server accepted are not waited for.
    for (const socket of this.#sockets) socket.destroy();
  }

  // The side that connections use.

  forget(connection: Connection): void {
    this.#connections.delete(connection);
  }

  plan(exchange: Exchange): Plan {
    const response = new ServerResponse(exchange, undefined);
    const target = parseTarget(exchange.head.target);
    if (!target) {
      const answer = () => response.json(400, { message: 'invalid request target' });
      return { holdInput: false, run: answer };
    }
    if (exchange.head.method === 'OPTIONS') return { holdInput: false, run: () => response.empty(200) };
    if (target.redirect !== undefined) {
      return { holdInput: false, run: () => redirect(response, target.redirect ?? '/') };
    }
    return this.#planRoute(exchange, target);
  }

  #planRoute(exchange: Exchange, target: Target): Plan {
    const version = target.version === undefined ? this.#versions.max : parseVersionPrefix(target.version);
    const match = version && this.#router.find(exchange.head.method, target.path, version.minor);
    if (!version || !match) {
      const response = new ServerResponse(exchange, undefined);
      return { holdInput: false, run: () => response.json(404, { message: PAGE_NOT_FOUND }) };
    }
    const { route } = match;
    return {
      holdInput: route.hijack === true || route.websocket === true,
      run: () => this.#handle({ exchange, target, version, match }),
    };
  }

  #handle(call: Call): void {
    const { exchange, target, version, match } = call;
    const response = new ServerResponse(exchange, match.route);
    const fail = (error: unknown): void => this.#answerError(call, response, error);
    try {
      checkApiVersion(version, this.#versions, target.version);
      const request = new ServerRequest({
        exchange,
        path: target.path,
        params: match.params,
        search: target.query,
        version,
      });
      const settled = match.route.handler(request, response);
      if (settled === undefined) this.#expectAnswer(call, response);
      else settled.then(() => this.#expectAnswer(call, response), fail);
    } catch (error) {
      fail(error);
    }
  }

  #expectAnswer(call: Call, response: ServerResponse): void {
    // A handler that gives up on a client that left need not say so.
    if (response.isOpen) call.exchange.onLeft(() => call.exchange.destroy());
    if (response.headersSent || !call.exchange.writable) return;
    this.#answerError(call, response, new WharfError('internal', `${call.match.route.pattern} gave no answer`));
  }

  #answerError({ exchange, target, match }: Call, response: ServerResponse, error: unknown): void {
    const { status, message } = this.#errorAnswer(error);
    const fields = { method: exchange.head.method, path: target.path, status, error: message };
    if (response.headersSent) {
      // What was sent is not whole, and the client must see that.
      if (exchange.writable) {
        this.#log.warn(fields, `${match.route.pattern} failed after its answer began`);
        exchange.destroy();
      }
      return;
    }
    if (!exchange.writable) return;
    // A client that left in the middle is its own affair.
    if (isKind(error, 'aborted')) this.#log.debug(fields, 'the client has left');
    else if (status >= 500)
      this.#log.error({ ...fields, stack: error instanceof Error ? error.stack : undefined }, 'request failed');
    try {
      if (status === 304) response.empty(304);
      else if (isAncient(target)) {
        response.text(status, `${message}\n`);
      } else response.json(status, { message });
    } catch (cause) {
      this.#log.error({ ...fields, cause: messageOf(cause) }, 'the error could not be answered');
      exchange.destroy();
    }
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

interface Call {
  readonly exchange: Exchange;
  readonly target: Target;
  readonly version: ApiVersion;
  readonly match: RouteMatch;
}

function redirect(response: ServerResponse, location: string): void {
  response.setHeader('Location', location);
  response.empty(301);
}

/** Clients below 1.24 do not read JSON errors. */
function isAncient(target: Target): boolean {
  const version = target.version === undefined ? undefined : parseVersionPrefix(target.version);
  return version !== undefined && version.major <= 1 && version.minor < 24;
}

/** Makes a server; it listens once told to. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  return new HttpServer(options);
}
