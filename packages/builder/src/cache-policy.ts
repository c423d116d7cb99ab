import type { CacheFilter } from './cache-filter.ts';
import type { CacheEntry } from './cache-usage.ts';

/** How much the cache may take. Zero says nothing. */
export interface SpaceBounds {
  /** So much is never removed. */
  readonly reservedBytes: number;
  readonly maxUsedBytes: number;
  /** So much of the disk is to stay free. */
  readonly minFreeBytes: number;
}

export const NO_BOUNDS: SpaceBounds = { reservedBytes: 0, maxUsedBytes: 0, minFreeBytes: 0 };

/** One rule of the collection that runs after builds; all apply, one after the other. */
export interface CacheRule extends SpaceBounds {
  /** Also what images share. */
  readonly all: boolean;
  readonly filter: (nowMs: number) => CacheFilter;
}

const HOUR_MS = 3_600_000;
const EASY_KINDS: ReadonlySet<CacheEntry['kind']> = new Set(['source.local', 'exec.cachemount']);
const EASY_BYTES = 512_000_000;

/**
 * What applies where daemon.json says nothing, as in BuildKit: what is easily made again goes after two days beyond 512 MB; beyond the
 * bounds goes what was not used for 60 days, then the least recently used, and what images share last. Without bounds it is 60 % of
 * the disk or 100 GB, a fifth of the disk stays free, and a tenth or 10 GB is kept.
 */
export function defaultPolicy(given: SpaceBounds, diskBytes: number): readonly CacheRule[] {
  const isUnset = given.reservedBytes === 0 && given.maxUsedBytes === 0 && given.minFreeBytes === 0;
  const bounds = isUnset
    ? {
        reservedBytes: Math.min(diskBytes * 0.1, 10e9),
        maxUsedBytes: Math.min(diskBytes * 0.6, 100e9),
        minFreeBytes: diskBytes * 0.2,
      }
    : given;
  const unusedFor = (ageMs: number, matches: CacheFilter['matches']) => (nowMs: number) => ({
    matches,
    unusedSince: nowMs - ageMs,
  });
  const everything = () => ({ matches: () => true });
  return [
    {
      ...NO_BOUNDS,
      ...{ all: false, maxUsedBytes: EASY_BYTES },
      filter: unusedFor(48 * HOUR_MS, ({ kind }) => EASY_KINDS.has(kind)),
    },
    { ...bounds, all: false, filter: unusedFor(60 * 24 * HOUR_MS, () => true) },
    { ...bounds, all: false, filter: everything },
    { ...bounds, all: true, filter: everything },
  ];
}

/**
 * The bytes that a removal leaves at least; `undefined` where it goes on to the end (BuildKit, `calculateKeepBytes`).
 * @param usedBytes of the cache, without what images share
 */
export function bytesToKeep(bounds: SpaceBounds, usedBytes: number, freeBytes: number): number | undefined {
  const { reservedBytes, maxUsedBytes, minFreeBytes } = bounds;
  if (reservedBytes === 0 && maxUsedBytes === 0 && minFreeBytes === 0) return undefined;
  const excess = minFreeBytes - freeBytes;
  let keep = maxUsedBytes;
  if (excess > 0) keep = keep === 0 ? usedBytes - excess : Math.min(keep, usedBytes - excess);
  else if (minFreeBytes !== 0 && keep === 0) keep = usedBytes;
  return Math.max(keep, reservedBytes, 0);
}

/**
 * What goes, in this order: the least recently used first, and no step before those that stand on it, since it would free nothing.
 * Pure.
 */
export function choose(
  entries: readonly CacheEntry[],
  options: {
    readonly all: boolean;
    readonly filter: CacheFilter;
    readonly usedBytes: number;
    readonly keepBytes: number | undefined;
  },
): readonly CacheEntry[] {
  const { all, filter, keepBytes } = options;
  const children = new Map<string, number>();
  for (const { parent } of entries) if (parent !== '') children.set(parent, (children.get(parent) ?? 0) + 1);
  let waiting = entries
    .filter((entry) => !entry.inUse && (all || !entry.shared) && isMeant(entry, filter))
    .toSorted((left, right) => left.lastUsedAt - right.lastUsedAt);
  const chosen: CacheEntry[] = [];
  let left = options.usedBytes;
  for (let before = -1; before !== chosen.length; ) {
    before = chosen.length;
    const blocked: CacheEntry[] = [];
    for (const entry of waiting) {
      if (keepBytes !== undefined && left <= keepBytes) return chosen;
      if ((children.get(entry.id) ?? 0) > 0) {
        blocked.push(entry);
        continue;
      }
      chosen.push(entry);
      if (!entry.shared) left -= entry.sizeBytes;
      if (entry.parent !== '') children.set(entry.parent, (children.get(entry.parent) ?? 1) - 1);
    }
    waiting = blocked;
  }
  return chosen;
}

function isMeant(entry: CacheEntry, { matches, unusedSince }: CacheFilter): boolean {
  return matches(entry) && (unusedSince === undefined || entry.lastUsedAt < unusedSince);
}
