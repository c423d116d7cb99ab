import { isKind, type Logger } from '@wharf/kit';
import type { Plan } from '@wharf/wire/http/connection';
import type { Exchange } from '@wharf/wire/http/exchange';
import { SocketHost } from '@wharf/wire/http/socket-host';
import { answerTo, explain, registryError } from '../errors.ts';
import { IDLE_CONNECTION_MS, MAX_CONNECTIONS } from '../limits.ts';
import type { AccessRequest, Action, Identity } from '../plug/access.ts';
import type { RegistryContext } from '../routes/context.ts';
import { Call } from './call.ts';
import { deedOf } from './routes.ts';
import { parsePath, splitTarget } from './target.ts';

export interface RegistryServerOptions {
  readonly context: RegistryContext;
  /** What `Server: Wharf/<version>` says. */
  readonly version: string;
  readonly log: Logger;
  /** Told of every answer. */
  readonly observe: (call: Call, route: string) => void;
}

const NOBODY: Identity = { name: 'anonymous', anonymous: true, allows: () => false };

/**
 * The registry on its sockets. A request goes: path → who asks → may they → the deed. What can be answered from memory is answered in the
 * turn in which it came.
 */
export class RegistryServer extends SocketHost {
  readonly baseHeaders: string;
  readonly #context: RegistryContext;
  readonly #observe: RegistryServerOptions['observe'];

  constructor({ context, version, log, observe }: RegistryServerOptions) {
    super({ log, limits: { connections: MAX_CONNECTIONS, idleTimeoutMs: IDLE_CONNECTION_MS } });
    this.#context = context;
    this.#observe = observe;
    this.baseHeaders =
      `Docker-Distribution-API-Version: registry/2.0\r\nServer: Wharf/${version}\r\n` +
      'X-Content-Type-Options: nosniff\r\n';
  }

  plan(exchange: Exchange): Plan {
    return { holdInput: false, run: () => this.#answer(exchange) };
  }

  #answer(exchange: Exchange): void {
    const target = splitTarget(exchange.head.target);
    const remoteAddress = exchange.remoteAddress ?? '';
    const { path, query } = target ?? { path: '', query: '' };
    const call = new Call({ exchange, path, query, remoteAddress, identity: NOBODY });
    let route = 'other';
    try {
      const wait = this.#route(call, (found) => {
        route = found;
      });
      if (wait === undefined) this.#done(call, route);
      else {
        wait.then(
          () => this.#done(call, route),
          (error: unknown) => this.#fail(call, route, error),
        );
      }
    } catch (error) {
      this.#fail(call, route, error);
    }
  }

  #route(call: Call, seen: (route: string) => void): Promise<void> | undefined {
    const target = parsePath(call.path);
    if (target.kind === 'other') return this.#extra(call);
    const { access } = this.#context;
    const request = accessRequest(call);
    const identity = access.identify(request);
    const proceed = (who: Identity): Promise<void> | undefined => {
      call.identity = who;
      const deed = deedOf(call.method, target);
      seen(deed.route);
      if (!who.allows(deed.action, deed.repository)) throw this.#refusal(deed, request);
      return deed.run(this.#context, call) ?? undefined;
    };
    return identity instanceof Promise ? identity.then(proceed) : proceed(identity);
  }

  /** Who might log in is asked to, others are told no; neither is told whether anything exists. */
  #refusal(wanted: { action: Action; repository: string }, request: AccessRequest): Error {
    const challenge = this.#context.access.challenge(wanted, request);
    if (challenge !== undefined) {
      return registryError('UNAUTHORIZED', 'authentication required', {
        headers: { 'WWW-Authenticate': challenge },
        detail: [{ Type: 'repository', Name: wanted.repository, Action: wanted.action }],
      });
    }
    return registryError('DENIED', 'requested access to the resource is denied');
  }

  /** Paths that are not the specification's. */
  async #extra(call: Call): Promise<void> {
    for (const { handle } of this.#context.extensions) if (await handle?.(call)) return;
    if (call.path === '/' && (call.method === 'GET' || call.method === 'HEAD')) {
      call.text(200, 'wharf registry\n');
      return;
    }
    throw registryError('UNSUPPORTED', 'there is nothing here', { status: 404 });
  }

  #done(call: Call, route: string): void {
    if (!call.isAnswered && call.exchange.writable) this.#fail(call, route, new Error(`${route} gave no answer`));
    else this.#observe(call, route);
  }

  #fail(call: Call, route: string, error: unknown): void {
    const { exchange } = call;
    if (call.isAnswered || !exchange.writable) {
      // What was sent is not whole, and the client must see that.
      if (exchange.writable) exchange.destroy();
      if (!isKind(error, 'aborted')) this.log.warn({ path: call.path, error: explain(error) }, 'the answer was cut');
      this.#observe(call, route);
      return;
    }
    const { status, headers, body } = answerTo(error);
    if (status >= 500 && status !== 503) {
      const stack = error instanceof Error ? error.stack : undefined;
      this.log.error({ method: call.method, path: call.path, error: explain(error), stack }, 'request failed');
    }
    // Where a body is still to come, closing is the only way to have it stop.
    if (exchange.head.body.kind !== 'none') exchange.dropKeepAlive();
    call.setHeaders(headers);
    call.json(status, body);
    this.#observe(call, route);
  }
}

function accessRequest(call: Call): AccessRequest {
  const { headers, remoteAddress } = call;
  const { clientName: certificateName } = call.exchange;
  return { authorization: headers.authorization, remoteAddress, headers, certificateName };
}
