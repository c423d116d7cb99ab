import type { BuildCache } from '@wharf/wire/docker/types';
import type { ApiRequest } from '@wharf/wire/http/route';
import type { Builder } from '../build.ts';
import { dockerFilter } from '../cache-filter.ts';
import type { CacheEntry } from '../cache-usage.ts';

/** `POST /build/prune` (Engine API, "BuildPrune"). */
export async function pruneBuilds(builder: Builder, request: ApiRequest): Promise<object> {
  const { query } = request;
  const removed = await builder.usage.prune({
    all: query.bool('all'),
    filter: dockerFilter(query.filters(), Date.now()),
    reservedBytes: query.int('reserved-space') ?? query.int('keep-storage') ?? 0,
    maxUsedBytes: query.int('max-used-space') ?? 0,
    minFreeBytes: query.int('min-free-space') ?? 0,
  });
  return {
    CachesDeleted: removed.length === 0 ? null : removed.map(({ id }) => id),
    SpaceReclaimed: removed.reduce((sum, { shared, sizeBytes }) => sum + (shared ? 0 : sizeBytes), 0),
  };
}

/** The cache in the form of `GET /system/df`. */
export function cacheItems(entries: readonly CacheEntry[]): readonly BuildCache[] {
  return entries.map((entry) => ({
    ID: entry.id,
    Parents: entry.parent === '' ? null : [entry.parent],
    Type: entry.kind,
    Description: entry.description,
    InUse: entry.inUse,
    Shared: entry.shared,
    Size: entry.sizeBytes,
    CreatedAt: new Date(entry.createdAt).toISOString(),
    LastUsedAt: new Date(entry.lastUsedAt).toISOString(),
    UsageCount: entry.uses,
  }));
}
