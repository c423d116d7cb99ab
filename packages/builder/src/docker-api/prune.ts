import { parseGoDuration, WharfError } from '@wharf/kit';
import type { BuildCache } from '@wharf/wire/docker/types';
import type { ApiRequest } from '@wharf/wire/http/route';
import type { Builder } from '../build.ts';
import type { CacheEntry } from '../cache-usage.ts';

/** `POST /build/prune` (Engine API, "BuildPrune"). */
export async function pruneBuilds(builder: Builder, request: ApiRequest): Promise<object> {
  const { query } = request;
  const filters = new Map(query.filters());
  for (const name of ['until', 'unused-for']) {
    const values = filters.get(name);
    if (values !== undefined) filters.set(name, values.map(moment));
  }
  const keepBytes = query.int('reserved-space') ?? query.int('keep-storage') ?? 0;
  const { ids, bytes } = await builder.usage.prune({ all: query.bool('all'), filters, keepBytes });
  return { CachesDeleted: ids.length === 0 ? null : ids, SpaceReclaimed: bytes };
}

/** A duration before now, or a time, as milliseconds since 1970. */
function moment(text: string): string {
  if (/^\d+(\.\d+)?$/.test(text)) return String(Number(text) * 1000);
  const time = Date.parse(text);
  if (/^\d{4}-/.test(text) && !Number.isNaN(time)) return String(time);
  try {
    return String(Date.now() - Number(parseGoDuration(text) / 1_000_000n));
  } catch {
    throw new WharfError('invalid-argument', `"until" filter expects a duration (e.g., '24h') or a timestamp`);
  }
}

/** The cache in the form of `GET /system/df`. */
export function cacheItems(entries: readonly CacheEntry[]): readonly BuildCache[] {
  return entries.map((entry) => ({
    ID: entry.id,
    Parents: entry.parent === '' ? null : [entry.parent],
    Type: entry.kind,
    Description: entry.description,
    InUse: false,
    Shared: entry.shared,
    Size: entry.sizeBytes,
    CreatedAt: new Date(entry.createdAt).toISOString(),
    LastUsedAt: new Date(entry.lastUsedAt).toISOString(),
    UsageCount: entry.uses,
  }));
}
