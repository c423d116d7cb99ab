import { type Logger, WharfError } from '@wharf/kit';
import type { WebClient } from '@wharf/wire/http/web-client';
import { RegistryConnection } from './connection.ts';
import type { RegistryCredentials } from './credentials.ts';
import { type HostSettings, registryHosts, serverOf } from './hosts.ts';
import { statusOf } from './registry-error.ts';
import type { SchemeMemory } from './scheme-memory.ts';

export interface LoginOptions {
  readonly client: WebClient;
  readonly settings: HostSettings;
  readonly schemes: SchemeMemory;
  /** `registry.example.com:5000`, with or without scheme and path; empty is Docker Hub. */
  readonly serverAddress: string;
  readonly credentials: RegistryCredentials;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Checks credentials against a registry: pings `/v2/` and answers its challenge. Returns the identity token when the token server
 * gave one. Throws `unauthenticated` when refused, `internal` when the registry cannot be reached, `invalid-argument` for a bad address.
 */
export async function login(options: LoginOptions): Promise<string> {
  const { serverAddress, settings, signal } = options;
  const given = serverAddress.replace(/^https?:\/\//i, '').split('/')[0] ?? '';
  const domain = given === '' || given === 'index.docker.io' || given === 'registry-1.docker.io' ? 'docker.io' : given;
  if (!/^(?:\[[0-9a-f:.]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?$/.test(domain)) {
    throw new WharfError('invalid-argument', `invalid registry endpoint "${serverAddress}": not a host name`);
  }
  const host = (await registryHosts(domain, settings)).at(-1);
  if (host === undefined)
    throw new WharfError('failed-precondition', `no host for "${serverOf(domain)}" is configured`);
  const connection = new RegistryConnection({ ...options, host, repository: '', offline: true });
  try {
    const answer = await connection.send({ method: 'GET', to: '/', actions: [], attempts: 2, signal });
    answer.body.resume();
    return connection.identityToken;
  } catch (error) {
    const url = new URL(`${host.base.href.replace(/\/$/, '')}/`);
    if (options.schemes.isPlain(url.host)) url.protocol = 'http:';
    throw signal.aborted ? error : loginError(url.href, error);
  }
}

function loginError(url: string, error: unknown): unknown {
  if (!(error instanceof WharfError)) return error;
  const status = statusOf(error);
  if (error.code === 'token-refused' && (status === 401 || status === 403)) {
    const detail = error.message.replace(/^failed to fetch oauth token: /, '');
    const text = detail.startsWith('unexpected status') ? 'incorrect username or password' : detail;
    return new WharfError('unauthenticated', `Get "${url}": unauthorized: ${text}`, { cause: error });
  }
  if (status === 401 || status === 403) {
    const text = status === 401 ? '401 Unauthorized' : '403 Forbidden';
    return new WharfError('unauthenticated', `login attempt to ${url} failed with status: ${text}`, { cause: error });
  }
  if (error.code === 'no-credentials')
    return new WharfError('unauthenticated', `Get "${url}": ${error.message}`, { cause: error });
  if (status !== undefined) {
    return new WharfError('internal', `login attempt to ${url} failed with status: ${status}`, { cause: error });
  }
  return new WharfError('internal', error.message, { cause: error });
}
