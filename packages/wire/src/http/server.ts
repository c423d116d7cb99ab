import { isKind, type Logger, messageOf, WharfError } from '@wharf/kit';
import { PAGE_NOT_FOUND } from '../docker/messages.ts';
import {
  type ApiVersionRange,
  checkApiVersion,
  DOCKER_API_VERSIONS,
  formatApiVersion,
  parseVersionPrefix,
} from '../docker/versions.ts';
import type { Plan } from './connection.ts';
import type { Exchange } from './exchange.ts';
import type { HttpLimits } from './limits.ts';
import { ServerRequest } from './request.ts';
import { ServerResponse } from './response.ts';
import type { ApiVersion, Route } from './route.ts';
import { parseTarget, type RouteMatch, Router, type Target } from './router.ts';
import { SocketHost } from './socket-host.ts';
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

export type { Listening } from './socket-host.ts';

/**
 * The HTTP server of the Engine API, on any number of sockets.
 *
 * It speaks HTTP/1 itself (docs/decisions): Docker's hijack, with and without `Upgrade`, on fresh and reused connections, with stdin
 * right behind the head and a FIN that only ends stdin, cannot be had from node:http without reaching into its parser.
 */
export class HttpServer extends SocketHost {
  readonly baseHeaders: string;
  readonly #router: Router;
  readonly #versions: ApiVersionRange;
  readonly #errorAnswer: NonNullable<HttpServerOptions['errorAnswer']>;

  constructor(options: HttpServerOptions) {
    super(options);
    this.#router = new Router(options.routes);
    this.#versions = options.versions ?? DOCKER_API_VERSIONS;
    this.#errorAnswer = options.errorAnswer ?? answerFor;
    this.baseHeaders =
      `Api-Version: ${formatApiVersion(this.#versions.max)}\r\nDocker-Experimental: false\r\nOstype: linux\r\n` +
      `Server: Wharf/${options.serverVersion} (linux)\r\n`;
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
        this.log.warn(fields, `${match.route.pattern} failed after its answer began`);
        exchange.destroy();
      }
      return;
    }
    if (!exchange.writable) return;
    // A client that left in the middle is its own affair.
    if (isKind(error, 'aborted')) this.log.debug(fields, 'the client has left');
    else if (status >= 500)
      this.log.error({ ...fields, stack: error instanceof Error ? error.stack : undefined }, 'request failed');
    try {
      if (status === 304) response.empty(304);
      else if (isAncient(target)) {
        response.text(status, `${message}\n`);
      } else response.json(status, { message });
    } catch (cause) {
      this.log.error({ ...fields, cause: messageOf(cause) }, 'the error could not be answered');
      exchange.destroy();
    }
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
