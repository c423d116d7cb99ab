import { createHash } from 'node:crypto';
import type { ChainId, Clock } from '@wharf/kit';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Store, Table } from '@wharf/store';
import type { Tree } from './tree.ts';

/** What a step came to, by the key of what went into it. */
export interface CacheRecord {
  readonly tree: Tree;
  /** What the user wrote. */
  readonly description: string;
  readonly kind: 'run' | 'file';
  /** The record of the tree it stands on; empty for none. */
  readonly parent: string;
  /** Bytes of its own files. */
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly uses: number;
}

/** Bumped when steps of the same words come to other results. */
const FORMAT = 1;

/** The name of a step's result: a digest of everything that may change it. */
export function cacheKey(parts: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([FORMAT, parts]))
    .digest('hex');
}

/** The results of steps, kept across builds and restarts. A record whose snapshots are gone is as good as none. */
export class BuildCache {
  readonly #table: Table<CacheRecord>;
  readonly #snapshots: Snapshotter;
  readonly #clock: Clock;

  constructor(options: { readonly store: Store; readonly snapshots: Snapshotter; readonly clock: Clock }) {
    this.#table = options.store.table('build-cache');
    this.#snapshots = options.snapshots;
    this.#clock = options.clock;
  }

  /** The result kept under a key, noted as used now. */
  find(key: string): Tree | undefined {
    const record = this.#table.get(key);
    if (record === undefined) return undefined;
    const { chainId } = record.tree;
    if (chainId !== '' && this.#snapshots.stat(chainId)?.kind !== 'committed') {
      this.#table.delete(key);
      return undefined;
    }
    this.#table.put(key, { ...record, lastUsedAt: Number(this.#clock.nowNs() / 1_000_000n), uses: record.uses + 1 });
    return record.tree;
  }

  keep(key: string, result: Pick<CacheRecord, 'tree' | 'description' | 'kind' | 'parent' | 'sizeBytes'>): void {
    const now = Number(this.#clock.nowNs() / 1_000_000n);
    this.#table.put(key, { ...result, createdAt: now, lastUsedAt: now, uses: 0 });
  }

  list(): readonly { readonly key: string; readonly value: CacheRecord }[] {
    return this.#table.list();
  }

  forget(key: string): void {
    this.#table.delete(key);
  }

  /** The snapshots that must stay for the cache's sake. */
  *roots(): Iterable<ChainId> {
    for (const { value } of this.#table.list()) {
      if (value.tree.chainId !== '') yield value.tree.chainId;
    }
  }
}
