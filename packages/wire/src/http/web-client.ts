import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import type { LookupFunction } from 'node:net';
import { WharfError } from '@wharf/kit';
import { isForbiddenTarget } from './address-guard.ts';
import { networkError } from './network-error.ts';
import { type FileBody, sendFile } from './send-file.ts';
import { WEB_CLIENT_LIMITS } from './web-client-limits.ts';

/** How TLS is spoken with a host. Compared by identity: hand in the same object for the same host. */
export interface TlsChoice {
  /** Certificates in PEM, trusted besides the system's own. */
  readonly ca?: readonly string[];
  /** The client's own certificate and key, in PEM. */
  readonly cert?: string;
  readonly key?: string;
  /** Certificates of unknown authorities, or for other names, are accepted. */
  readonly insecure?: boolean;
}

export interface WebCall {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | FileBody | undefined;
  readonly tls?: TlsChoice | undefined;
  /** The address was named by the other side, not by the operator: link-local and loopback addresses are refused. */
  readonly untrusted?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The head of an answer. Read the body to its end or destroy it: until then it holds a connection. */
export interface WebReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: IncomingMessage;
}

export interface WebClientOptions {
  readonly userAgent: string;
  /** The proxy for a URL, `undefined` for none. */
  readonly proxyFor?: (url: URL) => string | undefined;
}

const NO_TLS: TlsChoice = {};

/**
 * An HTTP/1.1 client for servers out in the world: TLS, kept connections, proxies, deadlines. It follows no redirect and retries
 * nothing, except once on a kept connection that the server had closed already.
 *
 * `send` throws `unavailable` with a text in the form of Go's (`Get "https://…": dial tcp …`), which is what users of registries
 * know and search for, and the signal's reason when it aborts.
 */
export class WebClient {
  readonly #options: WebClientOptions;
  readonly #agents = new Map<TlsChoice, Map<string, Agent>>();

  constructor(options: WebClientOptions) {
    this.#options = options;
  }

  /** Sends a request and resolves at the head of the answer. */
  async send(call: WebCall): Promise<WebReply> {
    call.signal?.throwIfAborted();
    if (call.untrusted === true && isForbiddenTarget(call.url.hostname)) throw forbidden(call);
    try {
      return await this.#once(call);
    } catch (error) {
      // A kept connection may be closed by the server just as it is used again (RFC 9112, section 9.3.1).
      const stale = error instanceof StaleConnection && (call.body === undefined || call.body instanceof Uint8Array);
      if (!stale) throw error instanceof StaleConnection ? error.failure : error;
      return await this.#once(call).catch((again: unknown) => {
        throw again instanceof StaleConnection ? again.failure : again;
      });
    }
  }

  /** Ends kept connections. */
  close(): void {
    for (const agents of this.#agents.values()) for (const agent of agents.values()) agent.destroy();
    this.#agents.clear();
  }

  #agent({ url, tls = NO_TLS, untrusted = false }: WebCall): Agent {
    const proxy = this.#options.proxyFor?.(url);
    const key = `${url.protocol} ${untrusted} ${proxy ?? ''}`;
    const agents = this.#agents.get(tls) ?? new Map<string, Agent>();
    this.#agents.set(tls, agents);
    const known = agents.get(key);
    if (known !== undefined) return known;
    // `getBuiltinModule`: importing node:http from ESM loads all of undici.
    const http = process.getBuiltinModule('node:http');
    const https = process.getBuiltinModule('node:https');
    const options = {
      keepAlive: true,
      maxFreeSockets: WEB_CLIENT_LIMITS.freeSockets,
      timeout: WEB_CLIENT_LIMITS.idleMs,
      ...(proxy === undefined ? {} : { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } }),
    };
    const agent =
      url.protocol === 'https:' ? new https.Agent({ ...options, ...tlsOptions(tls) }) : new http.Agent(options);
    agents.set(key, agent);
    return agent;
  }

  #once(call: WebCall): Promise<WebReply> {
    const { url, method, body, signal } = call;
    const module =
      url.protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http');
    return new Promise((resolve, reject) => {
      const request: ClientRequest = module.request(url, {
        method,
        agent: this.#agent(call),
        headers: { 'user-agent': this.#options.userAgent, ...lengthOf(method, body), ...call.headers },
        ...(call.untrusted === true ? { lookup: guardedLookup } : {}),
        ...(signal === undefined ? {} : { signal }),
      });
      const timers = watchHead(request, call);
      const fail = (error: Error): void => {
        timers.clear();
        const failure = error instanceof WharfError ? error : networkError(method, url, error);
        if (signal?.aborted === true) reject(signal.reason);
        else reject(request.reusedSocket ? new StaleConnection(failure) : failure);
      };
      request.on('error', fail);
      request.on('response', (response) => {
        timers.clear();
        // The body may fail later, with or without a reader.
        response.on('error', () => undefined);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response });
      });
      if (body === undefined || body instanceof Uint8Array) request.end(body);
      else {
        const onSent = (offset: number): void => {
          timers.moved();
          body.onSent?.(offset);
        };
        sendFile({ ...body, onSent }, request).catch((error: Error) => request.destroy(error));
      }
    });
  }
}

/** Carries the failure of a request on a connection that had been used before. */
class StaleConnection extends Error {
  readonly failure: Error;

  constructor(failure: Error) {
    super(failure.message);
    this.failure = failure;
  }
}

function lengthOf(method: string, body: WebCall['body']): Readonly<Record<string, string>> {
  if (body !== undefined)
    return { 'content-length': String(body instanceof Uint8Array ? body.length : body.endExclusive - body.start) };
  return method === 'POST' || method === 'PUT' || method === 'PATCH' ? { 'content-length': '0' } : {};
}

function tlsOptions({ ca, cert, key, insecure }: TlsChoice): object {
  const tls = process.getBuiltinModule('node:tls');
  return {
    ...(ca === undefined ? {} : { ca: [...tls.getCACertificates('system'), ...tls.rootCertificates, ...ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(insecure === true ? { rejectUnauthorized: false } : {}),
  };
}

/** Deadlines until the head of the answer: one for the connection, and one from the last byte sent on. */
function watchHead(request: ClientRequest, { url, method }: WebCall): { clear(): void; moved(): void } {
  const late = (what: string) => (): void => {
    request.destroy(new WharfError('unavailable', `${goVerb(method)} "${url.href}": ${what}`, { code: 'timeout' }));
  };
  let timer = setTimeout(late(`dial tcp ${url.host}: i/o timeout`), WEB_CLIENT_LIMITS.connectMs);
  let isOver = false;
  // Sending a large body takes as long as it moves: the count starts anew with every piece.
  const moved = (): void => {
    clearTimeout(timer);
    if (!isOver) timer = setTimeout(late('net/http: timeout awaiting response headers'), WEB_CLIENT_LIMITS.headMs);
  };
  request.on('socket', (socket) => {
    if (!socket.connecting && request.reusedSocket) moved();
    else socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', moved);
  });
  const clear = (): void => {
    isOver = true;
    clearTimeout(timer);
  };
  return { clear, moved };
}

/** The method as Go's client spells it in errors. */
function goVerb(method: string): string {
  return method.charAt(0) + method.slice(1).toLowerCase();
}

function forbidden({ method, url }: WebCall): WharfError {
  return new WharfError(
    'permission-denied',
    `${goVerb(method)} "${url.href}": the server points to an address of this machine or its provider, which is refused`,
    { code: 'forbidden-target' },
  );
}

/** Resolves names as usual, and refuses those that lead to addresses a stranger has no business to name. */
const guardedLookup: LookupFunction = (hostname, options, callback) => {
  const { lookup } = process.getBuiltinModule('node:dns');
  lookup(hostname, { ...options, all: true }, (error, addresses) => {
    if (error !== null) return callback(error, []);
    const bad = addresses.find(({ address }) => isForbiddenTarget(address));
    if (bad !== undefined) {
      const refusal = new Error(`lookup ${hostname}: it leads to ${bad.address}, which is refused`);
      return callback(Object.assign(refusal, { code: 'EFORBIDDEN' }), []);
    }
    const [first] = addresses;
    if (options.all === true) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family);
  });
};
