import { type ChainId, type DiffId, type Digest, KeyedLock, WharfError } from '@wharf/kit';
import type { BlobInfo, ContentStore } from '@wharf/oci/content/content-store';
import { diffLayer } from '@wharf/oci/layers/diff';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Store, Table } from '@wharf/store';
import type { Lease } from './collector.ts';
import { LAYER_FORMS, PUSHED_GZIP_LEVEL } from './limits.ts';

/** A layer that exists as a snapshot only. */
export interface LazyLayer {
  readonly chainId: ChainId;
  /** Of its archive. */
  readonly sizeBytes: number;
  /** The same in other forms, as they were asked for; their blobs may be gone. */
  readonly forms?: Readonly<Record<string, PackedLayer>>;
}

/** How somebody wants a layer's blob. */
export interface LayerForm {
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** Of gzip 0 to 9, of zstd 1 to 22; ours when absent. */
  readonly level?: number | undefined;
  /** Later times of files are written as this one, which makes another layer of it; nanoseconds since 1970. */
  readonly latestNs?: bigint | undefined;
}

/** A layer's blob in one form. */
export interface PackedLayer {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly diffId: DiffId;
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
      write: (chunk) => writer.writeOwned(chunk),
    });
    return await lease.commit(writer, { digest, sizeBytes: layer.sizeBytes });
  }

  /**
   * The layer's blob in a form: found or made, and under the lease. `undefined` for what is no lazy layer. Two callers at once make it
   * once. Throws `data-loss` if the snapshot has changed.
   */
  async packed(
    digest: Digest,
    form: LayerForm,
    { lease, signal }: { readonly lease: Lease; readonly signal: AbortSignal },
  ): Promise<PackedLayer | undefined> {
    return this.#locks.run(digest, async () => {
      const layer = this.#table.get(digest);
      if (layer === undefined || !this.has(digest)) return undefined;
      const { compression, latestNs, level = compression === 'gzip' ? PUSHED_GZIP_LEVEL : undefined } = form;
      const key = `${compression} ${level ?? ''} ${latestNs ?? ''}`;
      const known = layer.forms?.[key];
      if (known !== undefined && (await lease.adopt(known.digest)) !== undefined) return known;
      lease.keepSnapshot(layer.chainId);
      await using writer = await this.#content.writer();
      const { diffId } = await diffLayer({
        ...{ snapshots: this.#snapshots, key: layer.chainId, compression, level, latestNs, signal },
        write: (chunk) => writer.writeOwned(chunk),
      });
      if (latestNs === undefined && String(diffId) !== digest) {
        throw new WharfError('data-loss', `Cannot pack layer "${digest}": its files are others than when it was made`);
      }
      const packed = { ...(await lease.commit(writer)), diffId };
      this.#noteForm(digest, key, packed);
      return packed;
    });
  }

  /** A lost note costs the work again, nothing else. */
  #noteForm(digest: Digest, key: string, packed: PackedLayer): void {
    const layer = this.#table.get(digest);
    if (layer === undefined) return;
    const others = Object.entries(layer.forms ?? {}).filter(([other]) => other !== key);
    const forms = Object.fromEntries([...others, [key, packed] as const].slice(-LAYER_FORMS));
    this.#table.put(digest, { ...layer, forms });
  }

  /** The snapshot is gone, and with it what could be made of it. */
  forget(chainId: ChainId): void {
    for (const { key, value } of this.#table.list()) if (value.chainId === chainId) this.#table.delete(key);
  }
}
