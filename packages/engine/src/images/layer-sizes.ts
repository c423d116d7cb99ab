import type { ChainId } from '@wharf/kit';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Store, Table } from '@wharf/store';

interface LayerSize {
  readonly sizeBytes: number;
}

/** Sizes of unpacked layers. Measured once, since a committed snapshot never changes, and kept over restarts. */
export class LayerSizes {
  readonly #table: Table<LayerSize>;
  readonly #snapshots: Snapshotter;
  readonly #measuring = new Map<ChainId, Promise<number>>();

  constructor(store: Store, snapshots: Snapshotter) {
    this.#table = store.table<LayerSize>('image-layers');
    this.#snapshots = snapshots;
  }

  /** Bytes as `du` counts them, 0 when the layer is not unpacked. */
  async get(chainId: ChainId): Promise<number> {
    const known = this.#table.get(chainId);
    if (known !== undefined) return known.sizeBytes;
    if (this.#snapshots.stat(chainId)?.kind !== 'committed') return 0;
    const running = this.#measuring.get(chainId);
    if (running !== undefined) return running;
    const work = this.#measure(chainId).finally(() => this.#measuring.delete(chainId));
    this.#measuring.set(chainId, work);
    return work;
  }

  /** Drops sizes of layers that a crash took. */
  recover(): void {
    for (const { key } of this.#table.list()) if (this.#snapshots.stat(key) === undefined) this.#table.delete(key);
  }

  forget(chainId: ChainId): void {
    this.#table.delete(chainId);
  }

  async #measure(chainId: ChainId): Promise<number> {
    const { sizeBytes } = await this.#snapshots.usage(chainId);
    if (this.#snapshots.stat(chainId) !== undefined) this.#table.put(chainId, { sizeBytes });
    return sizeBytes;
  }
}
