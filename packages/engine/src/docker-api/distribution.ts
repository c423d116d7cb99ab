import { isDigest, lazily, parseReference, WharfError, withDefaultTag } from '@wharf/kit';
import type { Route } from '@wharf/wire/http/route';
import type { Engine } from '../engine.ts';
import { credentialsOf } from './registry-headers.ts';

const FILTERS = new Set(['is-automated', 'is-official', 'stars']);
const MAX_RESULTS = 100;
const distribution = lazily(() => import('../images/distribution.ts'));

/** What is asked of registries without taking anything from them: `GET /distribution/{name}/json` and `GET /images/search`. */
export function distributionRoutes({ registries }: Pick<Engine, 'registries'>): readonly Route[] {
  return [
    {
      method: 'GET',
      pattern: '/distribution/{name:.*}/json',
      since: 30,
      handler: async (request, response) => {
        const name = request.params['name'] ?? '';
        if (/^[a-f0-9]{64}$/.test(name) || isDigest(name)) {
          throw new WharfError('internal', 'no manifest found for full image ID');
        }
        const reference = withDefaultTag(parseReference(name));
        const [access, { inspectRemote }] = await Promise.all([registries(), distribution()]);
        const repository = await access.repository(reference, credentialsOf(request));
        response.json(200, await inspectRemote(repository, request.signal));
      },
    },
    {
      method: 'GET',
      pattern: '/images/search',
      handler: async (request, response) => {
        const { query } = request;
        const term = query.get('term') ?? '';
        const limit = limitOf(query.get('limit') ?? '');
        const accepted = acceptorOf(query.filters());
        const credentials = credentialsOf(request);
        const what = { term, limit: limit === 0 ? 25 : limit, credentials };
        const found = await (await registries()).search(what, request.signal);
        response.json(200, found.filter(accepted));
      },
    },
  ];
}

function limitOf(text: string): number {
  if (text === '') return 0;
  if (!/^[+-]?\d{1,15}$/.test(text)) {
    throw new WharfError(
      'invalid-argument',
      `invalid limit specified: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`,
    );
  }
  const limit = Number(text);
  if (limit >= 0 && limit <= MAX_RESULTS) return limit;
  throw new WharfError('invalid-argument', `limit ${limit} is outside the range of [1, ${MAX_RESULTS}]`);
}

type Row = { readonly is_official: boolean; readonly star_count: number };

function acceptorOf(filters: ReadonlyMap<string, readonly string[]>): (row: Row) => boolean {
  for (const name of filters.keys()) {
    if (!FILTERS.has(name)) throw new WharfError('invalid-argument', `invalid filter '${name}'`);
  }
  const official = flagOf(filters, 'is-official');
  // No image is called automated any more.
  const automated = flagOf(filters, 'is-automated') === true;
  const stars = (filters.get('stars') ?? []).map((text) => {
    if (!/^[+-]?\d{1,15}$/.test(text)) {
      const why = `strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`;
      throw new WharfError('invalid-argument', `invalid filter 'stars=${text}': ${why}`);
    }
    return Number(text);
  });
  const least = Math.max(0, ...stars);
  return (row) => !automated && (official === undefined || row.is_official === official) && row.star_count >= least;
}

function flagOf(filters: ReadonlyMap<string, readonly string[]>, name: string): boolean | undefined {
  const values = filters.get(name);
  if (values === undefined) return undefined;
  const [value = ''] = values;
  if (values.length === 1 && /^(?:1|true)$/.test(value)) return true;
  if (values.length === 1 && /^(?:0|false)$/.test(value)) return false;
  throw new WharfError('invalid-argument', `invalid filter '${name}=[${values.join(' ')}]'`);
}
