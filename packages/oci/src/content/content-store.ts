import type { Readable } from 'node:stream';
import type { Digest } from '@wharf/kit';

export interface BlobInfo {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/**
 * One blob on its way in.
 *
 * Life: `write` any number of times, then `commit` once; or `abort`. Until `commit` resolves nobody sees it; a crash
 * leaves a file under `ingest/` that the next start removes (or resumes, where `resumeKey` was given).
 */
export interface BlobWriter extends AsyncDisposable {
  /** Appends; honours back-pressure of the disk. The chunk is written later: do not change it afterwards. */
  write(chunk: Uint8Array): Promise<void>;
  /** As `write`, for a chunk whose whole buffer is nobody else's: its memory is freed as soon as it is written, not when it is collected. */
  writeOwned(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Bytes written so far; greater than zero at the start for a resumed blob. */
  readonly sizeBytes: number;
  /** Where the bytes lie until `commit`, for those who read behind the writer. */
  readonly temporaryPath: string;
  /**
   * Checks digest and size against what was expected, fsyncs, and renames into place. Throws `data-loss` on a
   * mismatch and removes the bytes. Committing what is already there is fine.
   */
  commit(expected?: { readonly digest?: Digest; readonly sizeBytes?: number }): Promise<BlobInfo>;
  /** Drops the bytes and gives the space back. Idempotent; nothing after `commit`. Disposal calls it. */
  abort(): Promise<void>;
}

export interface WriterOptions {
  readonly algorithm?: 'sha256' | 'sha512';
  /** Names the blob for later attempts, best by its digest: what an aborted or killed writer left is taken up again. */
  readonly resumeKey?: string;
  /** Told how many bytes the file holds, after each write to the disk. */
  readonly onWritten?: (bytes: number) => void;
}

/** Blobs by digest; immutable; shared by engine, builder and registry. */
export interface ContentStore {
  stat(digest: Digest): Promise<BlobInfo | undefined>;
  /** A stream of the blob or of a range of it. Throws `not-found`. */
  open(digest: Digest, range?: { readonly start: number; readonly endExclusive?: number }): Promise<Readable>;
  /** The whole blob, for manifests and configs. Throws `not-found`, and `resource-exhausted` past `limitBytes` (default 8 MiB). */
  read(digest: Digest, limitBytes?: number): Promise<Buffer>;
  /** Where the file lies, for workers. The path stays valid while the blob is referenced. */
  path(digest: Digest): string;
  writer(options?: WriterOptions): Promise<BlobWriter>;
  /** Stores a small blob at once. */
  put(bytes: Uint8Array): Promise<BlobInfo>;
  delete(digest: Digest): Promise<void>;
  /** All blobs, in no order. */
  list(): AsyncIterable<BlobInfo>;
}
