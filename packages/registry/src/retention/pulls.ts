import type { Digest } from '@wharf/kit';
import type { Store, Table } from '@wharf/store';
import { MAX_DIRTY_PULLS } from '../limits.ts';
import { digestKey, tagKey } from '../model/indices.ts';

const FLUSH_EVERY_MS = 5_000;

/** When something was last pulled: by `repository@digest` and by `repository:tag`. */
export interface PullRecord {
  readonly at: number;
  readonly count: number;
}

/** Remembers pulls: in memory at once, on disk some seconds later, so that a crash costs the last ones only. */
export class Pulls {
  readonly records: Table<PullRecord>;
  readonly #now: () => number;
  readonly #dirty = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;

  constructor(store: Store, now: () => number) {
    this.records = store.table('registry.pulls');
    this.#now = now;
  }

  pulled(repository: string, digest: Digest, tag: string | undefined): void {
    this.#count(digestKey(repository, digest));
    if (tag !== undefined) this.#count(tagKey(repository, tag));
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_EVERY_MS).unref();
  }

  /** When it was last pulled; `undefined` when never. */
  lastPull(key: string): number | undefined {
    return this.#dirty.has(key) ? this.#now() : this.records.get(key)?.at;
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const at = this.#now();
    for (const [key, more] of this.#dirty)
      this.records.put(key, { at, count: (this.records.get(key)?.count ?? 0) + more });
    this.#dirty.clear();
  }

  #count(key: string): void {
    this.#dirty.set(key, (this.#dirty.get(key) ?? 0) + 1);
    if (this.#dirty.size >= MAX_DIRTY_PULLS) this.flush();
  }
}
