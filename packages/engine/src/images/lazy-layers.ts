import type { ChainId, Digest } from '@wharf/kit';
import type { BlobInfo, ContentStore } from '@wharf/oci/content/content-store';
import { diffLayer } from '@wharf/oci/layers/diff';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Store, Table } from '@wharf/store';
import type { Lease } from './collector.ts';

/** A layer that exists as a snapshot only. */
export interface LazyLayer {
  readonly chainId: ChainId;
  /** Of its archive. */
  readonly sizeBytes: number;
  /** Names that are left out of the archive where they are empty. */
  readonly placeholders: readonly string[];
}

/**
 * Layers that a build made and nobody has asked to see as a blob yet. Their archives are hashed when they are made, so manifests can
 * name them; the bytes come into being when an image is saved or pushed, from the snapshot, which does not change.
 */
export class LazyLayers {
  readonly #table: Table<LazyLayer>;
  readonly #content: ContentStore;
  readonly #snapshots: Snapshotter;

  constructor(options: { readonly store: Store; readonly content: ContentStore; readonly snapshots: Snapshotter }) {
    this.#table = options.store.table('lazy-layers');
    this.#content = options.content;
    this.#snapshots = options.snapshots;
  }

  note(digest: Digest, layer: LazyLayer): void {
    this.#table.put(digest, layer);
  }

  /** True when the blob can be made. */
  has(digest: Digest): boolean {
    const layer = this.#table.get(digest);
    return layer !== undefined && this.#snapshots.stat(layer.chainId)?.kind === 'committed';
  }

  /** Makes the blob and stores it; `undefined` when there is nothing to make it from. Throws `data-loss` if the snapshot has changed. */
  async make(digest: Digest, lease: Lease): Promise<BlobInfo | undefined> {
    const layer = this.#table.get(digest);
    if (layer === undefined || !this.has(digest)) return undefined;
    await using writer = await this.#content.writer();
    await diffLayer({
      snapshots: this.#snapshots,
      key: layer.chainId,
      placeholders: layer.placeholders,
      compression: 'none',
      write: (chunk) => writer.write(chunk),
    });
    return lease.commit(writer, { digest, sizeBytes: layer.sizeBytes });
  }

  /** The snapshot is gone, and with it what could be made of it. */
  forget(chainId: ChainId): void {
    for (const { key, value } of this.#table.list()) if (value.chainId === chainId) this.#table.delete(key);
  }
}
