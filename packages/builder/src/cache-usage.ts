import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Filters, WharfError } from '@wharf/kit';
import { layerPool } from '@wharf/oci/workers/pool';
import type { BuildImages } from './interfaces.ts';
import { CACHE_AGE_MS } from './limits.ts';
import type { CacheDirectories } from './ops/cache-directories.ts';
import type { BuildCache } from './solver/cache.ts';

/** One entry of the cache as clients see it. */
export interface CacheEntry {
  readonly id: string;
  readonly parent: string;
  readonly kind: 'regular' | 'exec.cachemount';
  readonly description: string;
  /** An image has the same layers, so that removing the entry frees nothing. */
  readonly shared: boolean;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly uses: number;
}

export interface PruneOptions {
  /** Also what images share. */
  readonly all: boolean;
  /** `until` (milliseconds since 1970) and `id`, `description`, `type`. */
  readonly filters: Filters;
  /** Leaves so much, the most recently used. */
  readonly keepBytes: number;
}

/** What the cache takes on the disk, and giving it back. */
export class CacheUsage {
  readonly #cache: BuildCache;
  readonly #directories: CacheDirectories;
  readonly #images: Pick<BuildImages, 'sharedSnapshots' | 'collect'>;

  constructor(options: {
    readonly cache: BuildCache;
    readonly directories: CacheDirectories;
    readonly images: Pick<BuildImages, 'sharedSnapshots' | 'collect'>;
  }) {
    this.#cache = options.cache;
    this.#directories = options.directories;
    this.#images = options.images;
  }

  async list(): Promise<readonly CacheEntry[]> {
    const shared = await this.#images.sharedSnapshots();
    const steps = this.#cache.list().map(
      ({ key, value }): CacheEntry => ({
        id: key,
        parent: value.parent,
        kind: 'regular',
        description: value.description,
        shared: value.tree.chainId === '' || shared.has(value.tree.chainId),
        sizeBytes: value.sizeBytes,
        createdAt: value.createdAt,
        lastUsedAt: value.lastUsedAt,
        uses: value.uses,
      }),
    );
    return [...steps, ...(await this.#mounts())];
  }

  /** Removes entries, the least recently used first. Returns their ids and the bytes that came free. */
  async prune({
    all,
    filters,
    keepBytes,
  }: PruneOptions): Promise<{ readonly ids: readonly string[]; readonly bytes: number }> {
    const entries = (await this.list()).toSorted((left, right) => left.lastUsedAt - right.lastUsedAt);
    let left = entries.reduce((sum, { shared, sizeBytes }) => sum + (shared ? 0 : sizeBytes), 0);
    const ids: string[] = [];
    let bytes = 0;
    for (const entry of entries) {
      if ((entry.shared && !all) || !isWanted(entry, filters)) continue;
      if (keepBytes > 0 && left <= keepBytes) break;
      if (!(await this.#remove(entry))) continue;
      ids.push(entry.id);
      if (entry.shared) continue;
      bytes += entry.sizeBytes;
      left -= entry.sizeBytes;
    }
    if (ids.length > 0) await this.#images.collect();
    return { ids, bytes };
  }

  /** Keeps the cache within its bounds: what nobody used for long goes, and the least recently used beyond the size. */
  async limit(maxBytes: number, nowMs: number): Promise<void> {
    const old = new Map([['until', [String(nowMs - CACHE_AGE_MS)]]]);
    await this.prune({ all: true, filters: old, keepBytes: 0 });
    await this.prune({ all: false, filters: new Map(), keepBytes: Math.max(1, maxBytes) });
  }

  async #remove(entry: CacheEntry): Promise<boolean> {
    if (entry.kind === 'exec.cachemount') {
      if (this.#directories.isTaken(entry.id)) return false;
      await rm(join(this.#directories.root, entry.id), { recursive: true, force: true });
      return true;
    }
    this.#cache.forget(entry.id);
    return true;
  }

  async #mounts(): Promise<readonly CacheEntry[]> {
    const { root } = this.#directories;
    const names = await readdir(root).catch(() => []);
    return Promise.all(
      names.map(async (name): Promise<CacheEntry> => {
        const { sizeBytes, changedAt } = await measure(join(root, name));
        const times = { createdAt: changedAt, lastUsedAt: changedAt };
        return {
          ...{ id: name, parent: '', kind: 'exec.cachemount', description: 'cached mount', shared: false, uses: 0 },
          ...{ sizeBytes, ...times },
        };
      }),
    );
  }
}

async function measure(path: string): Promise<{ readonly sizeBytes: number; readonly changedAt: number }> {
  const { sizeBytes } = await layerPool.run<{ readonly directory: string }, { readonly sizeBytes: number }>({
    module: import.meta.resolve('@wharf/oci/snapshots/tree-jobs'),
    job: 'usageJob',
    params: { directory: path },
  });
  return { sizeBytes, changedAt: (await stat(path)).mtimeMs };
}

function isWanted(entry: CacheEntry, filters: Filters): boolean {
  for (const [name, values] of filters) {
    if (!values.some((value) => fits(entry, name, value))) return false;
  }
  return true;
}

function fits(entry: CacheEntry, name: string, value: string): boolean {
  switch (name) {
    case 'until':
    case 'unused-for':
      return entry.lastUsedAt < Number(value);
    case 'id':
      return entry.id.startsWith(value);
    case 'parent':
      return entry.parent === value;
    case 'type':
      return entry.kind === value;
    case 'description':
      return entry.description.includes(value);
    case 'inuse':
      return value === '0' || value === 'false';
    case 'shared':
      return entry.shared === (value !== '0' && value !== 'false');
    case 'private':
      return entry.shared !== (value !== '0' && value !== 'false');
    default:
      throw new WharfError('invalid-argument', `invalid filter '${name}'`);
  }
}
