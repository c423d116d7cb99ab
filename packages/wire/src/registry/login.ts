import type { IncomingHttpHeaders } from 'node:http';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { parseChallenges } from './challenge.ts';

export interface RegistryCredentials {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly identityToken?: string | undefined;
}

export interface LoginOptions {
  /** `registry.example.com:5000`, with or without scheme and path; empty is Docker Hub. */
  readonly serverAddress: string;
  readonly credentials: RegistryCredentials;
  /** Plain HTTP and certificates of unknown authorities are accepted for this host. */
  readonly insecure: boolean;
  readonly userAgent: string;
  readonly signal: AbortSignal;
}

const TIMEOUT_MS = 15_000;
const MAX_ANSWER_BYTES = 1024 * 1024;
const DOCKER_HUB = 'registry-1.docker.io';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The host of a registry as clients name it: without scheme and path, Docker Hub's old name replaced. */
export function registryHost(serverAddress: string): string {
  const host = serverAddress.replace(/^https?:\/\//i, '').split('/')[0] ?? '';
  const hub = host === '' || host === 'index.docker.io' || host === 'docker.io';
  return hub ? DOCKER_HUB : host;
}

/**
 * Checks credentials against a registry: pings `/v2/`, and answers its challenge by Basic or by fetching a token
 * (distribution spec, "Authentication"). Returns the identity token when the token server gave one.
 * Throws `unauthenticated` when refused, `unavailable` when the registry cannot be reached, `invalid-argument` for a bad address.
 */
export async function loginToRegistry(options: LoginOptions): Promise<string> {
  const host = registryHost(options.serverAddress);
  if (!/^(?:\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?$/.test(host)) {
    throw new WharfError('invalid-argument', `invalid registry endpoint "${options.serverAddress}": not a host name`);
  }
  // Credentials go over plain HTTP only to hosts the operator has named for it.
  const schemes = options.insecure ? ['https', 'http'] : ['https'];
  let failure: unknown;
  for (const scheme of schemes) {
    let ping: Answer;
    const url = new URL(`${scheme}://${host}/v2/`);
    try {
      ping = await get(url, {}, options);
    } catch (error) {
      if (options.signal.aborted) throw error;
      failure = error;
      continue;
    }
    return answerChallenge(url, ping, options);
  }
  throw new WharfError('unavailable', `Get "https://${host}/v2/": ${reasonOf(failure)}`, { cause: failure });
}

function reasonOf(error: unknown): string {
  if (hasErrno(error, 'ECONNREFUSED')) return 'connection refused';
  if (hasErrno(error, 'ENOTFOUND', 'EAI_AGAIN')) return 'no such host';
  return messageOf(error);
}

function basic({ username = '', password = '' }: RegistryCredentials): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
}

async function answerChallenge(url: URL, ping: Answer, options: LoginOptions): Promise<string> {
  if (ping.status === 200) return '';
  const challenges = ping.status === 401 ? parseChallenges(ping.headers['www-authenticate'] ?? '') : [];
  const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
  if (bearer?.parameters.realm !== undefined) {
    const token = await fetchToken(bearer.parameters.realm, bearer.parameters.service, options);
    await expectOk(url, `Bearer ${token.access}`, options);
    return token.identity;
  }
  if (challenges.some(({ scheme }) => scheme === 'basic')) {
    await expectOk(url, basic(options.credentials), options);
    return '';
  }
  throw refused(url, ping);
}

function refused(url: URL, { status }: Answer): WharfError {
  return new WharfError(
    status === 401 || status === 403 ? 'unauthenticated' : 'unavailable',
    `login attempt to ${url.href} failed with status: ${status}${status === 401 ? ' Unauthorized' : ''}`,
  );
}

async function expectOk(url: URL, authorization: string, options: LoginOptions): Promise<void> {
  const answer = await get(url, { authorization }, options);
  if (answer.status !== 200) throw refused(url, answer);
}

interface Token {
  readonly access: string;
  readonly identity: string;
}

async function fetchToken(realm: string, service: string | undefined, options: LoginOptions): Promise<Token> {
  if (!URL.canParse(realm)) throw new WharfError('unavailable', 'The registry names a token server that is no URL');
  const url = new URL(realm);
  if (url.protocol !== 'https:' && !(options.insecure && url.protocol === 'http:')) {
    throw new WharfError('permission-denied', `Cannot send credentials to "${url.origin}": it is not HTTPS`);
  }
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('client_id', 'wharf');
  url.searchParams.set('offline_token', 'true');
  const { username, identityToken } = options.credentials;
  if (username !== undefined) url.searchParams.set('account', username);
  const authorization = identityToken ? `Bearer ${identityToken}` : basic(options.credentials);
  const answer = await get(url, { authorization }, options);
  if (answer.status !== 200) {
    throw new WharfError(
      'unauthenticated',
      `Get "${url.origin}${url.pathname}": unauthorized: incorrect username or password`,
    );
  }
  return readToken(answer.body);
}

function readToken(body: string): Token {
  let parsed: { token?: unknown; access_token?: unknown; refresh_token?: unknown };
  try {
    parsed = JSON.parse(body) as typeof parsed;
  } catch (cause) {
    throw new WharfError('unavailable', 'The token server answered with something that is not JSON', { cause });
  }
  const access = parsed?.access_token ?? parsed?.token;
  if (typeof access !== 'string') throw new WharfError('unavailable', 'The token server gave no token');
  return { access, identity: typeof parsed.refresh_token === 'string' ? parsed.refresh_token : '' };
}

function get(url: URL, headers: Readonly<Record<string, string>>, options: LoginOptions): Promise<Answer> {
  // `getBuiltinModule`: importing node:http from ESM loads all of undici.
  const { request } =
    url.protocol === 'https:' ? process.getBuiltinModule('node:https') : process.getBuiltinModule('node:http');
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      {
        headers: { 'user-agent': options.userAgent, accept: 'application/json', ...headers },
        signal,
        rejectUnauthorized: !options.insecure,
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_ANSWER_BYTES) response.destroy(new Error('the answer is too large'));
          else chunks.push(chunk);
        });
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString(),
          }),
        );
      },
    );
    call.on('error', reject);
    call.end();
  });
}
