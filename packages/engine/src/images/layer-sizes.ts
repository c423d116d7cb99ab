import type { ChainId } from '@wharf/kit';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Store, Table } from '@wharf/store';

interface LayerSize {
  readonly sizeBytes: number;
  /** It shared files with others when it was measured. */
  readonly isEntangled?: boolean;
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

  /** Bytes of several layers together; files that they share count once. */
  async together(chainIds: Iterable<ChainId>): Promise<number> {
    let bytes = 0;
    const entangled: ChainId[] = [];
    for (const chainId of chainIds) {
      const sizeBytes = await this.get(chainId);
      if (this.#table.get(chainId)?.isEntangled === true && this.#snapshots.stat(chainId) !== undefined)
        entangled.push(chainId);
      else bytes += sizeBytes;
    }
    return entangled.length === 0 ? bytes : bytes + (await this.#snapshots.usageTogether(entangled));
  }

  /** Drops sizes of layers that a crash took. */
  recover(): void {
    for (const { key } of this.#table.list()) if (this.#snapshots.stat(key) === undefined) this.#table.delete(key);
  }

  forget(chainId: ChainId): void {
    this.#table.delete(chainId);
  }

  async #measure(chainId: ChainId): Promise<number> {
    const { sizeBytes, isEntangled } = await this.#snapshots.usage(chainId);
    const known = { sizeBytes, ...(isEntangled ? { isEntangled } : {}) };
    if (this.#snapshots.stat(chainId) !== undefined) this.#table.put(chainId, known);
    return sizeBytes;
  }
}
