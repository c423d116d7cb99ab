import type { Digest } from '@wharf/kit';
import { type ParsedManifest, parseManifest } from '../model/manifest.ts';
import type { RegistryParts } from '../registry.ts';

/** A manifest that came from elsewhere, its digest checked. */
export interface FoundManifest {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/** Stores a manifest and sets its tags, durably. Throws `MANIFEST_INVALID`, and what guards refuse. */
export async function keepManifest(
  { catalog, claims, storage, now }: RegistryParts,
  found: FoundManifest,
  to: { readonly repository: string; readonly tags: readonly string[]; readonly by: string },
): Promise<ParsedManifest> {
  const { digest, bytes } = found;
  const parsed = parseManifest(bytes, found.mediaType);
  const { blobs, children, subject, artifactType, annotations, mediaType } = parsed;
  using _claim = await claims.claim(digest);
  await storage.put(digest, bytes);
  const manifest = {
    ...{ mediaType, sizeBytes: bytes.length, at: now(), by: to.by },
    blobs: [...new Set(blobs.map((each) => each.digest))],
    children: [...new Set(children.map((each) => each.digest))],
    ...(subject === undefined ? {} : { subject }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(annotations === undefined ? {} : { annotations }),
  };
  catalog.putManifest({ repository: to.repository, digest, manifest, tags: to.tags });
  await catalog.committed();
  return parsed;
}
