import { setTimeout as sleep } from 'node:timers/promises';
import { backoffDelayMs, type Logger, messageOf, WharfError } from '@wharf/kit';
import { isForbiddenTarget } from '@wharf/wire/http/address-guard';
import { readReply } from '@wharf/wire/http/read-reply';
import type { FileBody } from '@wharf/wire/http/send-file';
import type { WebClient, WebReply } from '@wharf/wire/http/web-client';
import { Authorizer } from './authorizer.ts';
import { type RegistryCredentials, repositoryScope, type Scope } from './credentials.ts';
import type { RegistryHost } from './hosts.ts';
import { ANSWER_BYTES, BACKOFF, REDIRECTS, REQUEST_ATTEMPTS, RETRY_AFTER_MS } from './limits.ts';
import { registryError } from './registry-error.ts';
import type { SchemeMemory } from './scheme-memory.ts';

export interface HostCall {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Relative to the repository (`manifests/latest`), to the API's root (`/`), or where an earlier answer pointed to. */
  readonly to: string | URL;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | FileBody;
  readonly actions?: readonly string[];
  /** Other repositories the request reads from. */
  readonly alsoFrom?: readonly string[];
  /** Tries in all; five when absent. */
  readonly attempts?: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HostAnswer extends WebReply {
  /** Where the answer came from, after redirects. */
  readonly url: URL;
}

export interface ConnectionOptions {
  readonly client: WebClient;
  readonly host: RegistryHost;
  readonly repository: string;
  readonly credentials: RegistryCredentials | undefined;
  readonly schemes: SchemeMemory;
  /** Sent with each request (`X-Meta-…`). */
  readonly metaHeaders?: Readonly<Record<string, string>>;
  /** Tokens that last are asked for (`docker login`). */
  readonly offline?: boolean;
  readonly log: Logger;
}

const REDIRECT = new Set([301, 302, 303, 307, 308]);
const MAY_PASS = new Set([408, 429, 500, 502, 503, 504]);

/**
 * One server's view of one repository: sends requests with authorization, follows redirects, and tries again what may pass.
 *
 * Invariants: the authorization goes to the host that asked for it and to no other; a redirect never leads from HTTPS to HTTP, nor
 * from the world to this machine; a body is sent again from its beginning only.
 */
export class RegistryConnection {
  readonly host: RegistryHost;
  readonly repository: string;
  readonly #options: ConnectionOptions;
  readonly #authorizer: Authorizer;

  constructor(options: ConnectionOptions) {
    const { host, client, credentials } = options;
    this.#options = options;
    this.host = host;
    this.repository = host.rewrites.reduce(
      (name, { pattern, replacement }) => (pattern.test(name) ? name.replace(pattern, replacement) : name),
      options.repository,
    );
    const { tls, insecure, isLocal } = host;
    const { offline = false } = options;
    this.#authorizer = new Authorizer({ client, credentials, tls, insecure, isLocal, offline });
  }

  /** The refresh token that the token server gave, `''` when it gave none. */
  get identityToken(): string {
    return this.#authorizer.identityToken;
  }

  /** Sends a request. Resolves for statuses below 400; throws `registryError` or what `WebClient.send` throws. */
  async send(call: HostCall): Promise<HostAnswer> {
    const attempts = call.attempts ?? REQUEST_ATTEMPTS;
    for (let attempt = 0; ; attempt += 1) {
      const last = attempt + 1 >= attempts;
      try {
        const answer = await this.#authorized(call);
        if (answer.status < 400) return answer;
        const retryMs = last || !MAY_PASS.has(answer.status) ? undefined : waitOf(answer, attempt);
        const error = await refusal(call.method, answer);
        if (retryMs === undefined) throw error;
        this.#options.log.debug({ error: error.message, retryMs }, 'the registry is asked again');
        await pause(retryMs, call.signal);
      } catch (error) {
        const passing = error instanceof WharfError && (error.code === 'network' || error.code === 'timeout');
        if (last || !passing || call.signal?.aborted === true) throw error;
        const retryMs = backoffDelayMs(attempt, BACKOFF);
        this.#options.log.debug({ error: messageOf(error), retryMs }, 'the registry is called again');
        await pause(retryMs, call.signal);
      }
    }
  }

  /** The whole answer of a small request. */
  async read(
    call: HostCall,
    limitBytes: number = ANSWER_BYTES,
  ): Promise<{ readonly answer: HostAnswer; readonly bytes: Buffer }> {
    const answer = await this.send(call);
    return { answer, bytes: await readReply(answer.body, limitBytes) };
  }

  async #authorized(call: HostCall): Promise<HostAnswer> {
    const scopes = this.#scopes(call);
    for (let attempt = 0; ; attempt += 1) {
      const url = this.#url(call);
      const foreign = call.to instanceof URL && call.to.host !== this.#base().host;
      const authorization = foreign ? undefined : await this.#authorizer.header(scopes, call.signal);
      const answer = await this.#redirected(call, url, authorization);
      if (answer.status !== 401 || foreign || attempt >= 2) return answer;
      if (!(await this.#authorizer.challenged(answer, scopes, authorization))) return answer;
      answer.body.resume();
    }
  }

  #scopes({ actions = ['pull'], alsoFrom = [] }: HostCall): readonly Scope[] {
    if (actions.length === 0) return [];
    return [repositoryScope(this.repository, ...actions), ...alsoFrom.map((name) => repositoryScope(name, 'pull'))];
  }

  #base(): URL {
    const { host, schemes } = this.#options;
    if (host.base.protocol !== 'https:' || !schemes.isPlain(host.base.host)) return host.base;
    const plain = new URL(host.base);
    plain.protocol = 'http:';
    return plain;
  }

  #url({ to, query = {} }: HostCall): URL {
    const base = this.#base();
    const root = base.href.replace(/\/$/, '');
    const url =
      to instanceof URL ? new URL(to) : new URL(to.startsWith('/') ? root + to : `${root}/${this.repository}/${to}`);
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    const { namespace } = this.host;
    if (namespace !== undefined && !(to instanceof URL)) url.searchParams.set('ns', namespace);
    return url;
  }

  async #redirected(call: HostCall, first: URL, authorization: string | undefined): Promise<HostAnswer> {
    let url = first;
    for (let hops = 0; hops <= REDIRECTS; hops += 1) {
      const own = url.host === first.host && url.protocol === first.protocol;
      const reply = await this.#fallingBack(call, url, own ? authorization : undefined);
      const target = REDIRECT.has(reply.reply.status) && (call.method === 'GET' || call.method === 'HEAD');
      const location = reply.reply.headers.location;
      if (!target || location === undefined) return { ...reply.reply, url: reply.url };
      reply.reply.body.resume();
      url = this.#follow(reply.url, location);
    }
    throw new WharfError('unavailable', `Get "${first.href}": stopped after ${REDIRECTS} redirects`, {
      code: 'redirects',
    });
  }

  #follow(from: URL, location: string): URL {
    const next = URL.parse(location, from.href);
    if (next === null || !/^https?:$/.test(next.protocol)) {
      throw new WharfError(
        'unavailable',
        `Get "${from.href}": it points to "${location}", which is no address to follow`,
      );
    }
    if (from.protocol === 'https:' && next.protocol === 'http:' && !this.host.insecure) {
      throw new WharfError(
        'permission-denied',
        `Get "${from.href}": it points to "${next.origin}", which is not HTTPS`,
      );
    }
    next.username = '';
    next.password = '';
    return next;
  }

  /** Sends once, over plain HTTP where an insecure host turns out not to speak TLS. */
  async #fallingBack(call: HostCall, url: URL, authorization: string | undefined) {
    const { host, schemes } = this.#options;
    const isHost = url.host === host.base.host;
    try {
      return { reply: await this.#once(call, url, authorization), url };
    } catch (error) {
      const code = error instanceof WharfError ? error.code : undefined;
      const noTls = code === 'http-on-tls' || (code === 'refused' && url.port === '');
      if (!isHost || !host.insecure || url.protocol !== 'https:' || !noTls) throw error;
      const plain = new URL(url);
      plain.protocol = 'http:';
      const reply = await this.#once(call, plain, authorization).catch((second: unknown) => {
        throw code === 'refused' ? error : second;
      });
      schemes.rememberPlain(host.base.host);
      return { reply, url: plain };
    }
  }

  async #once(call: HostCall, url: URL, authorization: string | undefined): Promise<WebReply> {
    const { client, host, metaHeaders } = this.#options;
    const { method, headers, body, signal } = call;
    const isHost = url.host === host.base.host;
    return client.send({
      method,
      url,
      headers: {
        ...metaHeaders,
        ...(isHost ? host.headers : {}),
        ...headers,
        ...(authorization === undefined ? {} : { authorization }),
      },
      body,
      tls: isHost || host.insecure ? host.tls : host.tls.ca === undefined ? NO_CA : caOnly(host.tls.ca),
      untrusted: !isHost && !host.isLocal && !isForbiddenTarget(host.base.hostname),
      signal,
    });
  }
}

const NO_CA = {};
const withCa = new WeakMap<readonly string[], { readonly ca: readonly string[] }>();

/** The authorities without the client's certificate, for hosts that a redirect leads to. */
function caOnly(ca: readonly string[]): { readonly ca: readonly string[] } {
  const known = withCa.get(ca) ?? { ca };
  withCa.set(ca, known);
  return known;
}

async function refusal(method: string, answer: HostAnswer): Promise<WharfError> {
  const body =
    method === 'HEAD' ? Buffer.alloc(0) : await readReply(answer.body, ANSWER_BYTES).catch(() => Buffer.alloc(0));
  if (method === 'HEAD') answer.body.resume();
  return registryError({ method, url: answer.url, status: answer.status, body: body.toString('utf8') });
}

/** How long to wait before the next try; `undefined` when the registry asks for more patience than there is. */
function waitOf({ headers }: WebReply, attempt: number): number | undefined {
  const text = headers['retry-after'];
  const own = backoffDelayMs(attempt, BACKOFF);
  if (text === undefined) return own;
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  if (Number.isNaN(ms)) return own;
  return ms > RETRY_AFTER_MS ? undefined : Math.max(ms, own);
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => signal?.throwIfAborted());
}
