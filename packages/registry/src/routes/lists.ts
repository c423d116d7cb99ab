import { registryError } from '../errors.ts';
import type { Call } from '../http/call.ts';
import { DEFAULT_CATALOG_PAGE, MAX_PAGE } from '../limits.ts';
import { unknownRepository } from '../model/catalog.ts';
import type { RegistryContext } from './context.ts';

/** `n` of a listing; `undefined` when not given. Throws for what is no number. */
function pageSize(call: Call): number | undefined {
  const text = call.query.get('n');
  if (text === null || text === '') return undefined;
  if (!/^\d{1,9}$/.test(text)) throw registryError('UNSUPPORTED', 'n is no number of entries', { status: 400 });
  return Math.min(Number(text), MAX_PAGE);
}

function linkNext(call: Call, path: string, last: string, n: number): void {
  call.setHeader('Link', `<${path}?last=${encodeURIComponent(last)}&n=${n}>; rel="next"`);
}

/** `GET /v2/<name>/tags/list` (distribution-spec, "Listing Tags"), a range read of an ordered table. */
export function listTags({ catalog }: RegistryContext, call: Call, repository: string): void {
  if (!catalog.hasRepository(repository)) throw unknownRepository(repository);
  const wanted = pageSize(call);
  const n = wanted ?? MAX_PAGE;
  const after = call.query.get('last') ?? undefined;
  // One more than asked for tells whether there are more.
  const found = n === 0 ? [] : catalog.listTags(repository, { after, limit: n + 1 });
  const tags = found.slice(0, n);
  if (found.length > n) linkNext(call, `/v2/${repository}/tags/list`, tags.at(-1) ?? '', n);
  call.json(200, { name: repository, tags });
}

/** `GET /v2/_catalog`: the repositories that the requester may pull from, by pages. */
export function listRepositories({ catalog }: RegistryContext, call: Call): void {
  const n = pageSize(call) ?? DEFAULT_CATALOG_PAGE;
  const found: string[] = [];
  let after = call.query.get('last') ?? '';
  let more = n > 0;
  while (more && found.length <= n) {
    const page = catalog.repositories.range({ after, limit: n + 1 });
    for (const { key } of page) if (call.identity.allows('list', key)) found.push(key);
    more = page.length > n;
    after = page.at(-1)?.key ?? after;
  }
  const repositories = found.slice(0, n);
  if (found.length > n) linkNext(call, '/v2/_catalog', repositories.at(-1) ?? '', n);
  call.json(200, { repositories });
}
