import { type ChainId, type Digest, KeyedLock, WharfError } from '@wharf/kit';
import type { BlobInfo, ContentStore } from '@wharf/oci/content/content-store';
import { diffLayer } from '@wharf/oci/layers/diff';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Store, Table } from '@wharf/store';
import type { Lease } from './collector.ts';
import { PUSHED_GZIP_LEVEL } from './limits.ts';

/** A layer that exists as a snapshot only. */
export interface LazyLayer {
  readonly chainId: ChainId;
  /** Of its archive. */
  readonly sizeBytes: number;
  /** The same compressed, once it was pushed; its blob may be gone. */
  readonly compressed?: { readonly digest: Digest; readonly sizeBytes: number };
}

/**
 * Layers that a build made and nobody has asked to see as a blob yet. Their archives are hashed when they are made, so manifests can
 * name them; the bytes come into being when an image is saved or pushed, from the snapshot, which does not change.
 */
export class LazyLayers {
  readonly #table: Table<LazyLayer>;
  readonly #content: ContentStore;
  readonly #snapshots: Snapshotter;
  readonly #locks = new KeyedLock();

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
      compression: 'none',
      write: (chunk) => writer.write(chunk),
    });
    return await lease.commit(writer, { digest, sizeBytes: layer.sizeBytes });
  }

  /**
   * The layer as a registry is to have it, compressed: found or made, and under the lease. `undefined` for what is no lazy layer.
   * Two callers at once make it once.
   */
  async compressed(digest: Digest, lease: Lease, signal: AbortSignal): Promise<BlobInfo | undefined> {
    return this.#locks.run(digest, async () => {
      const layer = this.#table.get(digest);
      if (layer === undefined || !this.has(digest)) return undefined;
      const known = layer.compressed === undefined ? undefined : await lease.adopt(layer.compressed.digest);
      if (known !== undefined) return known;
      lease.keepSnapshot(layer.chainId);
      await using writer = await this.#content.writer();
      const { diffId, digest: packed } = await diffLayer({
        snapshots: this.#snapshots,
        key: layer.chainId,
        compression: 'gzip',
        level: PUSHED_GZIP_LEVEL,
        write: (chunk) => writer.write(chunk),
        signal,
      });
      if (String(diffId) !== digest) {
        throw new WharfError('data-loss', `Cannot pack layer "${digest}": its files are others than when it was made`);
      }
      const info = await lease.commit(writer, { digest: packed });
      // A lost note costs the work again, nothing else.
      this.#table.put(digest, { ...layer, compressed: { digest: info.digest, sizeBytes: info.sizeBytes } });
      return info;
    });
  }

  /** The snapshot is gone, and with it what could be made of it. */
  forget(chainId: ChainId): void {
    for (const { key, value } of this.#table.list()) if (value.chainId === chainId) this.#table.delete(key);
  }
}
