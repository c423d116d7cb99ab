import { randomBytes } from 'node:crypto';
import { type Digest, Semaphore } from '@wharf/kit';
import type { BlobInfo, ContentStore } from '@wharf/oci/content/content-store';
import { applyLayer } from '@wharf/oci/layers/apply';
import { detectCompression } from '@wharf/oci/layers/compression';
import type { ReadyLayer } from '@wharf/oci/layers/unpack';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { EAGER_CONCURRENCY, EAGER_LEAST_BYTES } from './limits.ts';

/**
 * Unpacks layers while the rest of their archive still arrives. What a blob is, only the manifest says, and that comes
 * last: so this guesses by the first bytes, and a wrong guess costs some work and nothing else.
 *
 * Invariant: every snapshot made here is either taken by `take` or removed by disposal, which waits for all work.
 */
export class EagerLayers implements AsyncDisposable {
  readonly #snapshots: Snapshotter;
  readonly #content: ContentStore;
  readonly #abort = new AbortController();
  readonly #gate = new Semaphore(EAGER_CONCURRENCY);
  readonly #jobs = new Map<Digest, Promise<ReadyLayer | undefined>>();

  constructor(deps: { readonly snapshots: Snapshotter; readonly content: ContentStore }) {
    this.#snapshots = deps.snapshots;
    this.#content = deps.content;
  }

  /** Begins to unpack a blob that has just been stored, if it looks like a layer and is worth the while. */
  offer(blob: BlobInfo): void {
    if (this.#snapshots.name !== 'overlayfs' || blob.sizeBytes < EAGER_LEAST_BYTES || this.#jobs.has(blob.digest))
      return;
    this.#jobs.set(
      blob.digest,
      this.#gate.run(() => this.#unpack(blob.digest)),
    );
  }

  /** What became of it: an active snapshot that is the caller's from now on, or `undefined`. */
  async take(digest: Digest): Promise<ReadyLayer | undefined> {
    const job = this.#jobs.get(digest);
    this.#jobs.delete(digest);
    return job;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const ready of await Promise.all(jobs)) if (ready !== undefined) await this.#snapshots.remove(ready.key);
  }

  async #unpack(digest: Digest): Promise<ReadyLayer | undefined> {
    const { signal } = this.#abort;
    if (signal.aborted || !(await this.#looksLikeLayer(digest))) return undefined;
    const key = `extract-${randomBytes(8).toString('hex')}`;
    await this.#snapshots.prepare(key, '');
    try {
      const target = this.#snapshots.layerDir(key);
      const applied = await applyLayer({ source: { path: this.#content.path(digest) }, target, mode: 'upper', signal });
      return { key, applied };
    } catch {
      // Whatever is wrong with it shows again, with a reader for the message, once the manifest asks for it.
      await this.#snapshots.remove(key);
      return undefined;
    }
  }

  async #looksLikeLayer(digest: Digest): Promise<boolean> {
    const parts: Buffer[] = [];
    for await (const chunk of await this.#content.open(digest, { start: 0, endExclusive: 512 }))
      parts.push(chunk as Buffer);
    const head = Buffer.concat(parts);
    return detectCompression(head) !== 'none' || head.subarray(257, 262).toString('latin1') === 'ustar';
  }
}
