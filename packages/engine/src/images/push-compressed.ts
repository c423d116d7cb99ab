import type { Descriptor } from '@wharf/oci/spec/image';
import {
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  isManifestType,
  OCI_LAYER,
  OCI_LAYER_GZIP,
} from '@wharf/oci/spec/media-types';
import type { Lease } from './collector.ts';
import type { ImageRoom } from './room.ts';

const COMPRESSED: Readonly<Record<string, string>> = {
  [OCI_LAYER]: OCI_LAYER_GZIP,
  [DOCKER_LAYER]: DOCKER_LAYER_GZIP,
};

/**
 * What to push in place of a manifest whose layers a build has left as snapshots: the same image with these layers compressed, stored
 * under the lease. Returns `target` itself when there is nothing to compress. Throws `data-loss` for a snapshot that has changed,
 * `resource-exhausted` on a full disk.
 */
export async function compressForPush(
  room: ImageRoom,
  lease: Lease,
  target: Descriptor,
  signal: AbortSignal,
): Promise<Descriptor> {
  if (!isManifestType(target.mediaType) || (await room.content.stat(target.digest)) === undefined) return target;
  const manifest = await room.documents.manifest(target.digest);
  const layers = await Promise.all(manifest.layers.map((layer) => compressed(room, lease, layer, signal)));
  if (layers.every((layer, index) => layer === manifest.layers[index])) return target;
  const { digest, sizeBytes } = await lease.put(Buffer.from(JSON.stringify({ ...manifest, layers })));
  const { platform } = target;
  return { mediaType: target.mediaType, digest, size: sizeBytes, ...(platform === undefined ? {} : { platform }) };
}

async function compressed(room: ImageRoom, lease: Lease, layer: Descriptor, signal: AbortSignal): Promise<Descriptor> {
  const mediaType = COMPRESSED[layer.mediaType];
  if (mediaType === undefined) return layer;
  const blob = await room.lazyLayers.compressed(layer.digest, lease, signal);
  return blob === undefined ? layer : { ...layer, mediaType, digest: blob.digest, size: blob.sizeBytes };
}
