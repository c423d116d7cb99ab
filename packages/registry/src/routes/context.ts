import type { Clock, Logger } from '@wharf/kit';
import type { Catalog } from '../model/catalog.ts';
import type { Claims, Leases } from '../model/claims.ts';
import type { ManifestCache } from '../model/manifest-cache.ts';
import type { Access } from '../plug/access.ts';
import type { Extension } from '../plug/extension.ts';
import type { Guard } from '../plug/guard.ts';
import type { BlobStorage } from '../storage/storage.ts';
import type { UploadSessions } from '../uploads/sessions.ts';

/** Another store of the same machine that has whole and verified blobs. */
export interface Donor {
  /** Where the blob's file lies; the path need not exist. */
  path(digest: import('@wharf/kit').Digest): string;
}

/** What requests are answered from. */
export interface RegistryContext {
  readonly catalog: Catalog;
  readonly storage: BlobStorage;
  readonly uploads: UploadSessions;
  readonly claims: Claims;
  readonly leases: Leases;
  readonly manifests: ManifestCache;
  readonly access: Access;
  readonly guards: readonly Guard[];
  readonly extensions: readonly Extension[];
  readonly donor: Donor | undefined;
  /** Accept an index whose manifests are not all here (distribution-spec, "Push": a registry may refuse them). */
  readonly sparseIndexes: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly now: () => number;
}
