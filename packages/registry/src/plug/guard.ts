import type { Digest } from '@wharf/kit';
import type { ManifestRecord } from '../model/records.ts';
import type { Identity } from './access.ts';

/**
 * Rules that may refuse a change: quotas, locks, immutable tags. Each method may throw a `registryError` (DENIED with what the client shall
 * read); those that say so run inside the transaction of the change, synchronously, so that what they count is exact.
 */
export interface Guard {
  /** A client begins an upload, or says how long it will be; nothing is stored yet. A quota refuses here. */
  beforeUpload?(change: {
    readonly repository: string;
    /** What the client says; `undefined` when it does not. */
    readonly sizeBytes: number | undefined;
    readonly identity: Identity;
  }): void;
  /** Bytes are about to be received: the upload will have so many, as far as is known. A request in chunks calls this again and again. */
  duringUpload?(change: { readonly repository: string; readonly id: string; readonly sizeBytes: number }): void;
  /** A request that wrote to an upload is over, however it ended. */
  afterUpload?(change: { readonly repository: string; readonly id: string }): void;
  /** Within the transaction that links a blob to a repository that does not have it. */
  beforeLink?(change: { readonly repository: string; readonly digest: Digest; readonly sizeBytes: number }): void;
  /** Within the transaction that stores a manifest. */
  beforeManifest?(change: {
    readonly repository: string;
    readonly digest: Digest;
    readonly manifest: ManifestRecord;
    readonly tags: readonly string[];
    /** False when the repository has it already. */
    readonly isNew: boolean;
  }): void;
  /** Within the transaction that sets a tag; `from` is what it points to now. */
  beforeTag?(change: {
    readonly repository: string;
    readonly tag: string;
    readonly from: Digest | undefined;
    readonly to: Digest;
  }): void;
  /** Within the transaction that deletes. */
  beforeDelete?(change: {
    readonly repository: string;
    readonly what: 'tag' | 'manifest' | 'blob';
    /** The tag, or the digest. */
    readonly reference: string;
    readonly identity: Identity;
  }): void;
}
