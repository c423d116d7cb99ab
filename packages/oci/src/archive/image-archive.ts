import type { Digest } from '@wharf/kit';
import type { BlobInfo, BlobWriter } from '../content/content-store.ts';
import type { Descriptor } from '../spec/image.ts';

/** containerd's annotation with the whole name of an image; OCI's own holds the tag alone. */
export const IMAGE_NAME_ANNOTATION = 'io.containerd.image.name';
export const REF_NAME_ANNOTATION = 'org.opencontainers.image.ref.name';

/** Where the blobs of an archive go: a content store, seen through a lease that keeps them from collection. */
export interface BlobSink {
  writer(algorithm: 'sha256' | 'sha512'): Promise<BlobWriter>;
  commit(writer: BlobWriter, expected: { readonly digest?: Digest; readonly sizeBytes?: number }): Promise<BlobInfo>;
  put(bytes: Uint8Array): Promise<BlobInfo>;
  /** The blob if it is there already; it is kept from then on. */
  adopt(digest: Digest): Promise<BlobInfo | undefined>;
  /** Reads a blob's first bytes. */
  head(digest: Digest, bytes: number): Promise<Buffer>;
  /** Reads a whole document. */
  read(digest: Digest): Promise<Buffer>;
}

/** An image found in an archive. */
export interface ArchivedImage {
  readonly target: Descriptor;
  /** As annotated or tagged, not yet checked; `undefined` for an image without a name. */
  readonly name: string | undefined;
}

export interface ArchiveProgress {
  /** The digest's or file's short name. */
  readonly id: string;
  readonly currentBytes: number;
  readonly totalBytes: number;
}
