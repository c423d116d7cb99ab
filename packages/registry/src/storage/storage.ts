import type { Digest } from '@wharf/kit';

export interface StoredBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

export type Algorithm = 'sha256' | 'sha512';

/** One blob being read from front to back. */
export interface BlobSource extends AsyncDisposable {
  /** Fills `into` as far as it goes and returns how much; 0 at the end. One call at a time. */
  read(into: Uint8Array): Promise<number>;
  close(): Promise<void>;
}

/**
 * One blob on its way in, named by the id of its upload session.
 *
 * Life: `write` any number of times, `park` to let go of everything but the bytes (a later `upload()` of the same id goes on), then
 * `commit` or `discard`. One call at a time. Nobody sees the blob before `commit` resolves.
 */
export interface BlobUpload {
  /** Bytes received so far. */
  readonly sizeBytes: number;
  /** Appends; resolves when more may come. The chunk belongs to the upload from now on. */
  write(chunk: Uint8Array): Promise<void> | undefined;
  /**
   * Checks that the bytes have that digest, makes them durable and puts them in place. Throws `DIGEST_INVALID` when they have another one,
   * `resource-exhausted` on a full disk, `internal` when they could not be made durable; the bytes are gone in all these cases.
   */
  commit(digest: Digest): Promise<StoredBlob>;
  /**
   * Reads what is being written, as far as it is and on as it comes; the last byte only when `whole` has resolved. Throws what `whole`
   * throws. Absent where half blobs cannot be read.
   */
  follow?(range: {
    readonly start: number;
    readonly endExclusive: number;
    /** Of the whole blob. */
    readonly sizeBytes: number;
    readonly whole: Promise<void>;
  }): Promise<BlobSource>;
  /** Keeps the bytes for a later `upload()`, as far as a crash of the process goes. */
  park(): Promise<void>;
  /** Drops the bytes. Idempotent. */
  discard(): Promise<void>;
}

/**
 * Where the registry's bytes are: whole blobs by digest, and half ones by upload id. It knows nothing of repositories, and never decides by
 * itself to delete. Whatever a method acknowledges outlives a crash of the machine, except half blobs, which outlive one of the process.
 */
export interface BlobStorage {
  stat(digest: Digest): Promise<StoredBlob | undefined>;
  /** Throws `BLOB_UNKNOWN`. */
  open(digest: Digest, range?: { readonly start: number; readonly endExclusive: number }): Promise<BlobSource>;
  /** A small blob at once, manifests above all. Throws `BLOB_UNKNOWN`. */
  read(digest: Digest): Promise<Buffer>;
  /** Stores a small blob whose digest the caller has computed. */
  put(digest: Digest, bytes: Uint8Array): Promise<void>;
  /** Takes over a whole and verified file of the same machine without moving its bytes; false where that cannot be. */
  adopt(digest: Digest, path: string): Promise<StoredBlob | undefined>;
  /** Idempotent. */
  delete(digest: Digest): Promise<void>;
  /** All blobs, in no order. */
  list(): AsyncIterable<StoredBlob>;
  /** Begins an upload, or goes on with the one of that id. */
  upload(id: string, algorithm: Algorithm): Promise<BlobUpload>;
  /** Ids of half blobs, parked or left by a crash. */
  listUploads(): Promise<readonly string[]>;
  discardUpload(id: string): Promise<void>;
}
