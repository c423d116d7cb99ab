import type { Digest } from '@wharf/kit';
import { MANIFEST_CACHE_BYTES } from '../limits.ts';
import type { BlobStorage } from '../storage/storage.ts';

/** Manifests' bytes, the recently used ones in memory. Content never changes, so nothing here is ever stale. */
export class ManifestCache {
  readonly #storage: BlobStorage;
  readonly #limitBytes: number;
  readonly #entries = new Map<Digest, Buffer>();
  readonly #loading = new Map<Digest, Promise<Buffer>>();
  #bytes = 0;

  constructor(storage: BlobStorage, limitBytes = MANIFEST_CACHE_BYTES) {
    this.#storage = storage;
    this.#limitBytes = limitBytes;
  }

  /** At once when it is in memory. Throws `BLOB_UNKNOWN`. */
  get(digest: Digest): Buffer | Promise<Buffer> {
    return this.#entries.get(digest) ?? this.#load(digest);
  }

  add(digest: Digest, bytes: Buffer): void {
    if (this.#entries.has(digest) || bytes.length > this.#limitBytes / 8) return;
    this.#entries.set(digest, bytes);
    this.#bytes += bytes.length;
    // Those that came first go first; what is asked for often is back with the next request.
    for (const [oldest, old] of this.#entries) {
      if (this.#bytes <= this.#limitBytes) return;
      this.#entries.delete(oldest);
      this.#bytes -= old.length;
    }
  }

  #load(digest: Digest): Promise<Buffer> {
    let loading = this.#loading.get(digest);
    if (loading === undefined) {
      loading = this.#storage
        .read(digest)
        .then((bytes) => {
          this.add(digest, bytes);
          return bytes;
        })
        .finally(() => this.#loading.delete(digest));
      this.#loading.set(digest, loading);
    }
    return loading;
  }
}
