import type { Digest } from '@wharf/kit';
import type { Algorithm } from '../storage/storage.ts';

/** Times are milliseconds since the Unix epoch throughout. */
export interface RepositoryRecord {
  readonly createdAt: number;
}

/** A blob that a repository holds. */
export interface LinkRecord {
  readonly sizeBytes: number;
  readonly at: number;
}

/** A mark that something has to stay; the key says what and why. */
export interface KeptRecord {
  readonly at: number;
}

export interface ManifestRecord {
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly at: number;
  readonly by: string;
  /** Blobs it names and cannot do without. */
  readonly blobs: readonly Digest[];
  /** Manifests it names, if it is an index. */
  readonly children: readonly Digest[];
  readonly subject?: Digest;
  readonly artifactType?: string;
  /** For listings of referrers; `'long'` when they are in the manifest only. */
  readonly annotations?: Readonly<Record<string, string>> | 'long';
}

export interface TagRecord {
  readonly digest: Digest;
  readonly at: number;
  readonly by: string;
}

export interface UploadRecord {
  readonly repository: string;
  readonly algorithm: Algorithm;
  readonly startedAt: number;
  readonly by: string;
}

/** One change, as the event log tells it. */
export interface RegistryEvent {
  readonly kind:
    | 'blob.push'
    | 'blob.mount'
    | 'blob.delete'
    | 'manifest.push'
    | 'manifest.delete'
    | 'tag.set'
    | 'tag.delete'
    | 'repository.create'
    | 'repository.delete'
    // Extensions tell of their own changes.
    | `x-${string}`;
  readonly at: number;
  /** Who did it; `system:gc` and the like for the registry itself. */
  readonly by: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
  /** What the tag pointed to before. */
  readonly previous?: Digest;
  readonly sizeBytes?: number;
  readonly mediaType?: string;
  readonly details?: Readonly<Record<string, unknown>>;
}
