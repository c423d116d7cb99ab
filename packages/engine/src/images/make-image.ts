import type { Descriptor, ImageConfig, Manifest } from '@wharf/oci/spec/image';
import { OCI_CONFIG, OCI_MANIFEST } from '@wharf/oci/spec/media-types';
import type { Lease } from './collector.ts';

/** Stores config and manifest of a new image whose layers are in the store already. */
export async function storeImage(
  lease: Lease,
  image: { readonly config: ImageConfig; readonly layers: readonly Descriptor[] },
): Promise<{ readonly target: Descriptor; readonly manifest: Manifest }> {
  const config = await lease.put(Buffer.from(JSON.stringify(image.config)));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: config.digest, size: config.sizeBytes },
    layers: image.layers,
  };
  const stored = await lease.put(Buffer.from(JSON.stringify(manifest)));
  return { target: { mediaType: OCI_MANIFEST, digest: stored.digest, size: stored.sizeBytes }, manifest };
}
