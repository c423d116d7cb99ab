import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { type Digest, splitDigest, WharfError } from '@wharf/kit';
import { type FileHash, sharedHasher } from '@wharf/oci/content/hasher';
import { registryError } from '../errors.ts';
import {
  GATHERED_BYTES,
  INLINE_HASH_BYTES,
  SYNC_EVERY_BYTES,
  WRITE_BATCH_BYTES,
  WRITE_BATCH_PIECES,
} from '../limits.ts';
import { storageFailure } from './failures.ts';
import type { FileOperations } from './file-operations.ts';
import { GrowingSource } from './growing-source.ts';
import type { Algorithm, BlobUpload, StoredBlob } from './storage.ts';

export interface FileUploadOptions {
  readonly file: FileHandle;
  readonly path: string;
  readonly algorithm: Algorithm;
  /** Bytes that are there from before. */
  readonly resumedBytes: number;
  readonly files: FileOperations;
  /** Puts the finished file in place, durably. */
  readonly moveIn: (path: string, digest: Digest) => Promise<void>;
  /** Called once, when the upload lets go of its file. */
  readonly onEnd: () => void;
}

/** Uploads open at this moment: they share the memory for gathering. */
let openUploads = 0;

/**
 * Writes one upload's bytes to its file.
 *
 * - Chunks reach the file in order; one batch is on its way while the next one gathers.
 * - The hash covers the file's bytes from its start: small blobs are hashed here, others by a worker that reads behind the writer.
 * - A file whose write or sync failed is never committed: after a failed fsync(2) the kernel forgets that its pages were dirty.
 */
export class FileUpload implements BlobUpload {
  readonly #options: FileUploadOptions;
  readonly #inline: Hash | undefined;
  #follower: FileHash | undefined;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #written: number;
  #syncedFrom: number;
  #flushing: Promise<void> | undefined;
  #syncing: Promise<void> | undefined;
  #failure: WharfError | undefined;
  #ended = false;
  /** Readers that have caught up with what is written. */
  #waiting: (() => void)[] = [];
  sizeBytes: number;

  constructor(options: FileUploadOptions) {
    this.#options = options;
    this.sizeBytes = options.resumedBytes;
    this.#written = options.resumedBytes;
    this.#syncedFrom = options.resumedBytes;
    openUploads += 1;
    if (options.resumedBytes === 0) this.#inline = createHash(options.algorithm);
    else this.#follow();
  }

  write(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#ended) throw new WharfError('internal', 'Cannot write to the upload: it has ended');
    if (this.#failure !== undefined) throw this.#failure;
    this.#pending.push(chunk);
    this.#pendingBytes += chunk.length;
    this.sizeBytes += chunk.length;
    const isShort = this.#pendingBytes < Math.min(WRITE_BATCH_BYTES, GATHERED_BYTES / openUploads);
    if (isShort && this.#pending.length < WRITE_BATCH_PIECES) return undefined;
    return this.#startFlush();
  }

  async commit(digest: Digest): Promise<StoredBlob> {
    try {
      await this.#settle();
      const { file, path, files, moveIn } = this.#options;
      const [hex] = await Promise.all([this.#hash(digest), files.datasync(file)]);
      if (hex !== splitDigest(digest).hex)
        throw registryError('DIGEST_INVALID', `the content does not have the digest ${digest}`, { detail: { digest } });
      await this.#close();
      await moveIn(path, digest);
      return { digest, sizeBytes: this.sizeBytes };
    } catch (error) {
      await this.discard();
      throw storageFailure('store the blob', error);
    }
  }

  async follow({ start, endExclusive, sizeBytes, whole }: Parameters<NonNullable<BlobUpload['follow']>>[0]) {
    const file = await open(this.#options.path, 'r');
    let isWhole = false;
    const settled = whole.then(() => {
      isWhole = true;
    });
    settled.catch(() => {});
    return new GrowingSource(file, start, endExclusive, async (position) => {
      for (;;) {
        const there = isWhole ? sizeBytes : Math.min(this.#written, sizeBytes - 1);
        if (position < there || isWhole) return there;
        await Promise.race([settled, new Promise<void>((resolve) => this.#waiting.push(resolve))]);
      }
    });
  }

  async park(): Promise<void> {
    if (this.#ended) return;
    try {
      await this.#settle();
    } catch {
      // The bytes that could not be written are not promised to anybody: a resumed upload begins at the file's length.
    }
    await this.#close();
  }

  async discard(): Promise<void> {
    this.#pending = [];
    this.#pendingBytes = 0;
    await this.#flushing?.catch(() => {});
    await this.#close();
    await this.#options.files.remove(this.#options.path);
  }

  /** Starts to write what has gathered, once the batch before is written. */
  async #startFlush(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#pendingBytes === 0) return;
    const flushing = this.#flush().finally(() => {
      if (this.#flushing === flushing) this.#flushing = undefined;
    });
    this.#flushing = flushing;
  }

  async #flush(): Promise<void> {
    const chunks = this.#pending;
    const bytes = this.#pendingBytes;
    this.#pending = [];
    this.#pendingBytes = 0;
    try {
      if (this.#follower === undefined) {
        if (this.#written + bytes > INLINE_HASH_BYTES) this.#follow();
        else for (const chunk of chunks) this.#inline?.update(chunk);
      }
      await this.#writeAll(chunks);
      for (const chunk of chunks) release(chunk);
      this.#follower?.advance(this.#written);
      for (const wake of this.#waiting.splice(0)) wake();
      if (this.#written - this.#syncedFrom >= SYNC_EVERY_BYTES) this.#syncBehind();
    } catch (error) {
      this.#failure = storageFailure('store the blob', error);
    }
  }

  async #writeAll(chunks: readonly Uint8Array[]): Promise<void> {
    let rest = chunks;
    while (rest.length > 0) {
      // writev(2) takes at most IOV_MAX (1024) buffers.
      const count = await this.#options.files.write(this.#options.file, rest.slice(0, 1024), this.#written);
      if (count === 0) throw new WharfError('resource-exhausted', 'Cannot store the blob: no space left on device');
      this.#written += count;
      rest = withoutFirst(rest, count);
    }
  }

  /** Has the disk begin while the blob still comes in. */
  #syncBehind(): void {
    if (this.#syncing !== undefined) return;
    this.#syncedFrom = this.#written;
    this.#syncing = this.#options.files
      .datasync(this.#options.file)
      .catch((error: unknown) => {
        this.#failure ??= storageFailure('store the blob', error);
      })
      .finally(() => {
        this.#syncing = undefined;
      });
  }

  /** Everything received is in the file. */
  async #settle(): Promise<void> {
    if (this.#ended) throw new WharfError('internal', 'Cannot finish the upload: it has ended');
    await this.#startFlush();
    await this.#flushing;
    await this.#syncing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  #follow(): void {
    this.#follower = sharedHasher.start(this.#options.file.fd, this.#options.algorithm);
    this.#follower.advance(this.#written);
  }

  /** The hash of the whole file, by the digest's algorithm, which may differ from the one guessed at the start. */
  async #hash(digest: Digest): Promise<string> {
    const { algorithm } = splitDigest(digest);
    if (algorithm !== this.#options.algorithm) {
      await this.#follower?.drop();
      this.#follower = sharedHasher.start(this.#options.file.fd, algorithm === 'sha512' ? 'sha512' : 'sha256');
      this.#follower.advance(this.#written);
    } else if (this.#follower === undefined) return this.#inline?.digest('hex') ?? '';
    const follower = this.#follower;
    this.#follower = undefined;
    return (await follower?.finish()) ?? '';
  }

  async #close(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    openUploads -= 1;
    const follower = this.#follower;
    this.#follower = undefined;
    await follower?.drop();
    await this.#syncing;
    await this.#options.file.close();
    this.#options.onEnd();
  }
}

/**
 * Gives the memory of a chunk back at once: the collector would let hundreds of megabytes of them wait. Only one that has its memory for
 * itself: parts of a larger buffer have neighbours.
 */
function release(chunk: Uint8Array): void {
  const { buffer } = chunk;
  if (chunk.byteLength === buffer.byteLength && buffer instanceof ArrayBuffer && !buffer.detached) buffer.transfer(0);
}

function withoutFirst(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  for (const [index, chunk] of chunks.entries()) {
    if (left < chunk.length)
      return left === 0 ? chunks.slice(index) : [chunk.subarray(left), ...chunks.slice(index + 1)];
    left -= chunk.length;
  }
  return [];
}
