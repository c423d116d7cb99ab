import type { ChainId } from '@wharf/kit';
import type { SnapshotInfo } from '@wharf/oci/snapshots/snapshotter';
import type { ImageLease } from './interfaces.ts';

/** The trees that builds under way and results that clients look at count on: to remove them from the cache would free nothing yet. */
export class HeldTrees {
  readonly #holders = new Map<ChainId, number>();

  /** The same lease, which is known of here until it is disposed of. */
  watch(lease: ImageLease): ImageLease {
    const own = new Set<ChainId>();
    return {
      ...lease,
      keepSnapshot: (chainId) => {
        lease.keepSnapshot(chainId);
        if (own.has(chainId)) return;
        own.add(chainId);
        this.#holders.set(chainId, (this.#holders.get(chainId) ?? 0) + 1);
      },
      [Symbol.dispose]: () => {
        lease[Symbol.dispose]();
        for (const chainId of own) this.#drop(chainId);
        own.clear();
      },
    };
  }

  #drop(chainId: ChainId): void {
    const left = (this.#holders.get(chainId) ?? 1) - 1;
    if (left > 0) this.#holders.set(chainId, left);
    else this.#holders.delete(chainId);
  }

  /** All trees that are held, with those they stand on. */
  all(snapshots: { stat(key: string): SnapshotInfo | undefined }): ReadonlySet<string> {
    const found = new Set<string>();
    for (const held of this.#holders.keys()) {
      for (let at: ChainId | '' = held; at !== '' && !found.has(at); at = snapshots.stat(at)?.parent ?? '')
        found.add(at);
    }
    return found;
  }
}
