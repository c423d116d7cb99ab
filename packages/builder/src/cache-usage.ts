import { statfs } from 'node:fs/promises';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { layerPool } from '@wharf/oci/workers/pool';
import type { CacheFilter } from './cache-filter.ts';
import { bytesToKeep, type CacheRule, choose, type SpaceBounds } from './cache-policy.ts';
import type { HeldTrees } from './held-trees.ts';
import type { BuildImages } from './interfaces.ts';
import type { CacheDirectories } from './ops/cache-directories.ts';
import type { BuildCache, CacheRecord } from './solver/cache.ts';
import type { GitRepositories } from './sources/git/git-repositories.ts';
import type { KeptContexts } from './sources/kept-contexts.ts';

/** One entry of the cache as clients see it. */
export interface CacheEntry {
  readonly id: string;
  /** The entry it stands on; empty for none. */
  readonly parent: string;
  /** A step, a cache mount, a build context, or a copy of a repository. */
  readonly kind: 'regular' | 'exec.cachemount' | 'source.local' | 'source.git.checkout';
  readonly description: string;
  /** An image has the same layers, so that removing the entry frees nothing. */
  readonly shared: boolean;
  readonly inUse: boolean;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly uses: number;
}

export interface PruneOptions extends SpaceBounds {
  /** Also what images share. */
  readonly all: boolean;
  readonly filter: CacheFilter;
}

/** An entry and where its bytes are. */
interface Located {
  readonly entry: Omit<CacheEntry, 'sizeBytes'>;
  readonly directory: string | undefined;
}

interface CacheUsageDeps {
  readonly cache: BuildCache;
  readonly directories: CacheDirectories;
  readonly contexts: KeptContexts;
  readonly repositories: GitRepositories;
  readonly images: Pick<BuildImages, 'sharedSnapshots' | 'collect'>;
  readonly snapshots: Snapshotter;
  readonly held: HeldTrees;
  readonly dataRoot: string;
}

/** What the cache takes on the disk, and giving it back. */
export class CacheUsage {
  readonly #deps: CacheUsageDeps;
  /** Sizes of steps, which do not change, by their ids. */
  #measured = new Map<string, number>();

  constructor(deps: CacheUsageDeps) {
    this.#deps = deps;
  }

  /**
   * Every entry, with the bytes on disk that are its own. A file that several share counts once: for the step that was there first,
   * and for a context only where no step has it.
   */
  async list(): Promise<readonly CacheEntry[]> {
    const located = [...(await this.#steps()), ...(await this.#mounts()), ...(await this.#sources())];
    const sizes = await sizesOf(located);
    const entries = located.map(({ entry }, index) => ({ ...entry, sizeBytes: sizes[index] ?? 0 }));
    this.#measured = new Map(entries.map(({ id, kind, sizeBytes }) => [kind === 'regular' ? id : '', sizeBytes]));
    return entries;
  }

  /** As `list`, with the sizes of steps that were measured before. */
  async #estimate(): Promise<readonly CacheEntry[]> {
    const steps = await this.#steps();
    const fresh = steps.filter(({ entry }) => !this.#measured.has(entry.id));
    const others = [...(await this.#mounts()), ...(await this.#sources())];
    const sizes = await sizesOf([...fresh, ...others]);
    for (const [index, { entry }] of fresh.entries()) this.#measured.set(entry.id, sizes[index] ?? 0);
    return [
      ...steps.map(({ entry }) => ({ ...entry, sizeBytes: this.#measured.get(entry.id) ?? 0 })),
      ...others.map(({ entry }, index) => ({ ...entry, sizeBytes: sizes[fresh.length + index] ?? 0 })),
    ];
  }

  /** Removes entries, the least recently used first. Returns them. */
  async prune(options: PruneOptions): Promise<readonly CacheEntry[]> {
    return this.#pruneOf(await this.list(), options);
  }

  /** Keeps the cache within its rules. */
  async limit(rules: readonly CacheRule[], nowMs: number): Promise<void> {
    let entries = await this.#estimate();
    for (const { filter, ...rule } of rules) {
      const gone = new Set(await this.#pruneOf(entries, { ...rule, filter: filter(nowMs) }));
      entries = entries.filter((entry) => !gone.has(entry));
    }
  }

  async #pruneOf(entries: readonly CacheEntry[], options: PruneOptions): Promise<readonly CacheEntry[]> {
    const { all, filter } = options;
    const usedBytes = entries.reduce((sum, { shared, sizeBytes }) => sum + (shared ? 0 : sizeBytes), 0);
    const { bsize, bavail } = await statfs(this.#deps.dataRoot);
    const keepBytes = bytesToKeep(options, usedBytes, bavail * bsize);
    const removed: CacheEntry[] = [];
    for (const entry of choose(entries, { all, filter, usedBytes, keepBytes })) {
      if (await this.#remove(entry)) removed.push(entry);
    }
    if (removed.length > 0) await this.#deps.images.collect();
    return removed;
  }

  #remove({ id, kind }: CacheEntry): Promise<boolean> | boolean {
    const { directories, contexts, repositories, cache } = this.#deps;
    if (kind === 'exec.cachemount') return directories.remove(id);
    if (kind === 'source.local') return contexts.remove(id);
    if (kind === 'source.git.checkout') return repositories.remove(id);
    cache.forget(id);
    return true;
  }

  /** The oldest first, those that images share before all others. */
  async #steps(): Promise<readonly Located[]> {
    const { cache, images, snapshots } = this.#deps;
    const held = this.#deps.held.all(snapshots);
    const sharedSnapshots = await images.sharedSnapshots();
    const records = cache.list().toSorted((left, right) => left.value.createdAt - right.value.createdAt);
    const byTree = new Map(records.map(({ key, value }) => [value.tree.chainId as string, key]));
    const isThere = ({ tree: { chainId } }: CacheRecord) => chainId !== '' && snapshots.stat(chainId) !== undefined;
    const steps = records.map(({ key, value }): Located => {
      const { tree, parent, kind: _kind, sizeBytes: _sizeBytes, ...rest } = value;
      const shared = tree.chainId === '' || sharedSnapshots.has(tree.chainId);
      const directory = isThere(value) ? snapshots.layerDirs(tree.chainId)[0] : undefined;
      const entry = {
        id: key,
        parent: byTree.get(parent) ?? '',
        kind: 'regular' as const,
        shared,
        inUse: held.has(tree.chainId),
        ...rest,
      };
      return { entry, directory };
    });
    return [...steps.filter(({ entry }) => entry.shared), ...steps.filter(({ entry }) => !entry.shared)];
  }

  async #mounts(): Promise<readonly Located[]> {
    return (await this.#deps.directories.list()).map(({ name, id, path, ...rest }) => ({
      entry: {
        ...{ id: name, parent: '', kind: 'exec.cachemount' as const, shared: false, ...rest },
        description: id === '' ? 'cached mount' : `cached mount with id "${id}"`,
      },
      directory: path,
    }));
  }

  /** Repositories before contexts, which come last: what a context shares with a step is the step's. */
  async #sources(): Promise<readonly Located[]> {
    const repositories = (await this.#deps.repositories.list()).map(({ id, path, ...rest }): Located => {
      const entry = { id, parent: '', kind: 'source.git.checkout' as const, shared: false, uses: 1, ...rest };
      return { entry: { ...entry, description: 'git repository' }, directory: path };
    });
    return [...repositories, ...(await this.#contexts())];
  }

  async #contexts(): Promise<readonly Located[]> {
    return (await this.#deps.contexts.list()).map(({ id, path, ...rest }) => ({
      entry: {
        ...{ id, parent: '', kind: 'source.local' as const, shared: false, ...rest },
        description: 'local source for context',
      },
      directory: path,
    }));
  }
}

async function sizesOf(located: readonly Located[]): Promise<readonly number[]> {
  const module = import.meta.resolve('@wharf/oci/snapshots/tree-jobs');
  const parts = located.map(({ entry, directory }) => ({
    directory,
    isLast: entry.kind === 'source.local',
  }));
  return layerPool.run({ module, job: 'attributeJob', params: { parts } });
}
