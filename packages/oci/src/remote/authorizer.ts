import { WharfError } from '@wharf/kit';
import { readReply } from '@wharf/wire/http/read-reply';
import type { TlsChoice, WebClient, WebReply } from '@wharf/wire/http/web-client';
import { type Challenge, parseChallenges } from '@wharf/wire/registry/challenge';
import { mergeScopes, type RegistryCredentials, type Scope } from './credentials.ts';
import { ANSWER_BYTES, TOKEN_LIFE_MS, TOKEN_MARGIN_MS, TOKENS } from './limits.ts';
import { registryError } from './registry-error.ts';

export interface AuthorizerOptions {
  readonly client: WebClient;
  readonly credentials: RegistryCredentials | undefined;
  readonly tls: TlsChoice;
  /** Credentials may go over plain HTTP. */
  readonly insecure: boolean;
  /** The registry is on this machine, so its token server may be. */
  readonly isLocal: boolean;
  /** Asks the token server for a token that lasts (`docker login`). */
  readonly offline?: boolean;
}

interface Token {
  readonly text: string;
  readonly goodUntil: number;
}

interface TokenAnswer {
  readonly token: string;
  readonly lifeMs: number;
  readonly refreshToken: string;
}

/**
 * Answers one registry's challenges (RFC 9110, section 11; distribution, "Token Authentication" and "OAuth2"): Basic, or a bearer
 * token from the realm that it names. Tokens are kept for what they allow and for as long as they hold.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, Token>();
  readonly #asking = new Map<string, Promise<TokenAnswer>>();
  #challenge: Challenge | undefined;
  /** The refresh token of the last answer, for `docker login`. */
  identityToken = '';

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** The header for a request with these scopes; `undefined` while nothing is known to be asked for. */
  async header(scopes: readonly Scope[], signal?: AbortSignal): Promise<string | undefined> {
    const { registryToken } = this.#options.credentials ?? {};
    if (registryToken) return `Bearer ${registryToken}`;
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === 'basic') return this.#basic();
    return `Bearer ${await this.#token(challenge, scopes, signal)}`;
  }

  /**
   * Takes in a 401 to a request that went out with `sent`. True when the request is worth sending again. Throws `unauthenticated`
   * when there is nothing to answer with.
   */
  async challenged(reply: WebReply, scopes: readonly Scope[], sent: string | undefined): Promise<boolean> {
    const challenges = parseChallenges(reply.headers['www-authenticate'] ?? '');
    const bearer = challenges.find(
      ({ scheme, parameters }) => scheme === 'bearer' && parameters['realm'] !== undefined,
    );
    const next = bearer ?? challenges.find(({ scheme }) => scheme === 'basic');
    if (next === undefined || this.#options.credentials?.registryToken) return false;
    this.#challenge = next;
    if (next !== bearer) {
      if (this.#basic() === undefined) {
        throw new WharfError('unauthenticated', 'no basic auth credentials', { code: 'no-credentials' });
      }
      return sent !== this.#basic();
    }
    // Another request may have got a new token meanwhile: only the one that was refused is dropped.
    const wanted = mergeScopes(...scopes, next.parameters['scope'] ?? '').join(' ');
    const key = this.#key(next, wanted);
    if (sent === `Bearer ${this.#tokens.get(key)?.text}`) this.#tokens.delete(key);
    return true;
  }

  #basic(): string | undefined {
    const { username, password } = this.#options.credentials ?? {};
    if (!username && !password) return undefined;
    return `Basic ${Buffer.from(`${username ?? ''}:${password ?? ''}`).toString('base64')}`;
  }

  #key({ parameters }: Challenge, scope: string): string {
    return JSON.stringify([parameters['realm'], parameters['service'], scope]);
  }

  async #token(challenge: Challenge, scopes: readonly Scope[], signal?: AbortSignal): Promise<string> {
    const wanted = mergeScopes(...scopes, challenge.parameters['scope'] ?? '');
    const key = this.#key(challenge, wanted.join(' '));
    const known = this.#tokens.get(key);
    if (known !== undefined && known.goodUntil > performance.now()) return known.text;
    let asking = this.#asking.get(key);
    if (asking === undefined) {
      asking = this.#fetch(challenge, wanted, signal).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    const { token, lifeMs, refreshToken } = await asking;
    if (refreshToken !== '') this.identityToken = refreshToken;
    if (this.#tokens.size >= TOKENS) this.#tokens.clear();
    this.#tokens.set(key, { text: token, goodUntil: performance.now() + Math.max(lifeMs - TOKEN_MARGIN_MS, 1000) });
    return token;
  }

  async #fetch({ parameters }: Challenge, scopes: readonly Scope[], signal?: AbortSignal): Promise<TokenAnswer> {
    const realm = URL.parse(parameters['realm'] ?? '');
    if (realm === null || !/^https?:$/.test(realm.protocol)) {
      throw new WharfError('unavailable', `Cannot get a token: the registry names a token server that is no URL`);
    }
    const { username, password, identityToken } = this.#options.credentials ?? {};
    const known = Boolean(username || password || identityToken);
    if (known && realm.protocol !== 'https:' && !this.#options.insecure) {
      throw new WharfError('permission-denied', `Cannot send credentials to "${realm.origin}": it is not HTTPS`);
    }
    const request = { realm, service: parameters['service'], scopes, signal };
    if (!identityToken) {
      const got = await this.#get(request);
      if (got.status !== 404 && got.status !== 405) return readToken(got);
      return readToken(await this.#post(request));
    }
    const posted = await this.#post(request);
    const refused = posted.status === 404 || posted.status === 405;
    return readToken(refused ? await this.#get(request) : posted);
  }

  #get({ realm, service, scopes, signal }: TokenRequest): Promise<Answer> {
    const url = new URL(realm);
    if (service !== undefined) url.searchParams.set('service', service);
    for (const scope of scopes) url.searchParams.append('scope', scope);
    const { username, identityToken } = this.#options.credentials ?? {};
    if (username) url.searchParams.set('account', username);
    url.searchParams.set('client_id', CLIENT_ID);
    if (this.#options.offline === true) url.searchParams.set('offline_token', 'true');
    const basic = identityToken ? `Bearer ${identityToken}` : this.#basic();
    return this.#send({ method: 'GET', url, headers: basic === undefined ? {} : { authorization: basic }, signal });
  }

  /** OAuth2 (RFC 6749, sections 4.3 and 6), as distribution's "OAuth2 token authentication" has it. */
  #post({ realm, service, scopes, signal }: TokenRequest): Promise<Answer> {
    const { username = '', password = '', identityToken } = this.#options.credentials ?? {};
    const form = new URLSearchParams({ client_id: CLIENT_ID, scope: scopes.join(' ') });
    if (service !== undefined) form.set('service', service);
    if (identityToken) {
      form.set('grant_type', 'refresh_token');
      form.set('refresh_token', identityToken);
    } else {
      form.set('grant_type', 'password');
      form.set('username', username);
      form.set('password', password);
    }
    if (this.#options.offline === true) form.set('access_type', 'offline');
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    return this.#send({ method: 'POST', url: realm, headers, body: Buffer.from(form.toString()), signal });
  }

  async #send(call: {
    readonly method: string;
    readonly url: URL;
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: Uint8Array;
    readonly signal: AbortSignal | undefined;
  }): Promise<Answer> {
    const { client, tls, isLocal } = this.#options;
    const reply = await client.send({ ...call, tls, untrusted: !isLocal });
    const body = (await readReply(reply.body, ANSWER_BYTES)).toString('utf8');
    return { method: call.method, url: call.url, status: reply.status, body };
  }
}

const CLIENT_ID = 'docker';

interface TokenRequest {
  readonly realm: URL;
  readonly service: string | undefined;
  readonly scopes: readonly Scope[];
  readonly signal: AbortSignal | undefined;
}

interface Answer {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  readonly body: string;
}

function readToken(answer: Answer): TokenAnswer {
  const { method, url, status, body } = answer;
  if (status < 200 || status >= 300) {
    const { origin, pathname } = url;
    const refusal = registryError({ ...answer });
    const text = `failed to fetch oauth token: ${refusal.message.replace(/^error from registry: /, '')}`;
    throw new WharfError(refusal.kind, text, {
      code: 'token-refused',
      details: { status, server: `${method} ${origin}${pathname}` },
      cause: refusal,
    });
  }
  let parsed: Readonly<Record<string, unknown>> | null = null;
  try {
    parsed = JSON.parse(body) as Readonly<Record<string, unknown>> | null;
  } catch (cause) {
    throw new WharfError('unavailable', 'unable to decode token response: it is not JSON', { cause });
  }
  const token = parsed?.['access_token'] ?? parsed?.['token'];
  if (typeof token !== 'string' || token === '') {
    throw new WharfError('unavailable', 'authorization server did not include a token in the response');
  }
  const seconds = parsed?.['expires_in'];
  const refresh = parsed?.['refresh_token'];
  return {
    token,
    lifeMs: typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, 86_400) * 1000 : TOKEN_LIFE_MS,
    refreshToken: typeof refresh === 'string' ? refresh : '',
  };
}
