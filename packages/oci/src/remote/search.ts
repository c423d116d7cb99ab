import { WharfError } from '@wharf/kit';
import { readReply } from '@wharf/wire/http/read-reply';
import type { WebClient } from '@wharf/wire/http/web-client';
import type { RegistryCredentials } from './credentials.ts';
import { type HostSettings, registryHosts } from './hosts.ts';
import { ANSWER_BYTES } from './limits.ts';
import type { SchemeMemory } from './scheme-memory.ts';

export interface SearchResult {
  readonly star_count: number;
  readonly is_official: boolean;
  readonly name: string;
  readonly is_automated: boolean;
  readonly description: string;
}

export interface SearchOptions {
  readonly client: WebClient;
  readonly settings: HostSettings;
  readonly schemes: SchemeMemory;
  /** May begin with a registry's name. */
  readonly term: string;
  readonly limit: number;
  readonly credentials: RegistryCredentials | undefined;
  readonly signal: AbortSignal;
}

const HUB_SEARCH = 'https://index.docker.io/v1/search';

/**
 * Asks a registry's search (Docker's API of version 1: Docker Hub has it, few others do). Throws `invalid-argument` for a term with a
 * scheme, `internal` when the registry has no search or cannot be reached.
 */
export async function searchImages(options: SearchOptions): Promise<readonly SearchResult[]> {
  const { term } = options;
  if (term.includes('://')) {
    throw new WharfError(
      'invalid-argument',
      `invalid repository name: repository name (${term}) should not have a scheme`,
    );
  }
  const slash = term.indexOf('/');
  const first = slash < 0 ? '' : term.slice(0, slash);
  const named = /[.:]/.test(first) || first === 'localhost';
  const hub = !named || first === 'docker.io' || first === 'index.docker.io';
  const query = hub ? term.slice(named ? slash + 1 : 0).replace(/^library\//, '') : term.slice(slash + 1);
  const bytes = await ask(options, hub ? 'docker.io' : first, query);
  return read(bytes);
}

async function ask(options: SearchOptions, domain: string, query: string): Promise<Buffer> {
  const { client, settings, schemes, limit, credentials, signal } = options;
  const host = (await registryHosts(domain, settings)).at(-1);
  if (host === undefined) throw new WharfError('failed-precondition', `no host for "${domain}" is configured`);
  const isHub = domain === 'docker.io' && host.base.host === 'registry-1.docker.io';
  const url = new URL(isHub ? HUB_SEARCH : `${host.base.origin}/v1/search`);
  url.searchParams.set('q', query);
  url.searchParams.set('n', String(limit));
  const known = Boolean(credentials?.username && credentials.password);
  const basic = Buffer.from(`${credentials?.username}:${credentials?.password}`).toString('base64');
  const headers = known ? { authorization: `Basic ${basic}` } : {};
  const protocols =
    schemes.isPlain(url.host) && host.insecure ? ['http:'] : host.insecure ? ['https:', 'http:'] : ['https:'];
  let failure: unknown;
  for (const protocol of protocols) {
    const call = new URL(url);
    call.protocol = protocol;
    try {
      const reply = await client.send({ method: 'GET', url: call, headers, tls: host.tls, signal });
      if (reply.status === 200) return await readReply(reply.body, ANSWER_BYTES);
      reply.body.destroy();
      throw new WharfError('internal', `Unexpected status code ${reply.status}`);
    } catch (error) {
      const code = error instanceof WharfError ? error.code : undefined;
      if (signal.aborted || (code !== 'http-on-tls' && code !== 'refused')) throw internal(error);
      failure ??= error;
    }
  }
  throw internal(failure);
}

function internal(error: unknown): unknown {
  return error instanceof WharfError ? new WharfError('internal', error.message, { cause: error }) : error;
}

function read(bytes: Buffer): readonly SearchResult[] {
  let results: unknown;
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    results = typeof parsed === 'object' && parsed !== null && 'results' in parsed ? parsed.results : undefined;
  } catch (cause) {
    throw new WharfError('internal', 'error decoding registry search results: it is not JSON', { cause });
  }
  if (!Array.isArray(results)) return [];
  return results.flatMap((each: unknown) => {
    if (typeof each !== 'object' || each === null) return [];
    const row = each as Readonly<Record<string, unknown>>;
    const text = (key: string): string => (typeof row[key] === 'string' ? row[key] : '');
    const stars = row['star_count'];
    return [
      {
        star_count: typeof stars === 'number' ? stars : 0,
        is_official: row['is_official'] === true,
        name: text('name'),
        is_automated: false,
        description: text('description'),
      },
    ];
  });
}
