import {
  type ChainId,
  type Digest,
  formatCanonical,
  formatFamiliar,
  isKind,
  parseReference,
  withDefaultTag,
} from '@wharf/kit';
import { chainIds } from '@wharf/oci/spec/chain-id';
import type { Descriptor, ImageConfig, Platform } from '@wharf/oci/spec/image';
import type { Lease } from './collector.ts';
import type { ResolvedImage } from './image-service.ts';
import { storeImage } from './make-image.ts';
import { danglingName } from './names.ts';
import { resolveImage } from './resolve.ts';
import type { ImageRoom } from './room.ts';
import { nameImage } from './tag.ts';

/** An image to build on: unpacked, with the descriptors of its layers. */
export interface BuildBase {
  readonly image: ResolvedImage;
  readonly layers: readonly Descriptor[];
}

/** Finds an image in the store and unpacks it. `undefined` when it is not there (for that platform). */
export async function findBase(room: ImageRoom, reference: string, platform: Platform): Promise<BuildBase | undefined> {
  try {
    const image = await resolveImage(room, reference, platform);
    const manifest = await room.documents.manifest(image.manifestDigest);
    await room.unpack(manifest);
    return { image, layers: manifest.layers };
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  }
}

/** Stores a built image, whose layers are snapshots already, and gives it its names. Returns its id. */
export async function storeBuilt(
  room: ImageRoom,
  built: {
    readonly config: ImageConfig;
    readonly layers: readonly Descriptor[];
    readonly names: readonly string[];
  },
): Promise<Digest> {
  using lease: Lease = room.collector.lease();
  for (const layer of built.layers) lease.keep(layer.digest);
  for (const chainId of chainIds(built.config.rootfs.diff_ids)) lease.keepSnapshot(chainId as ChainId);
  const { target } = await storeImage(lease, built);
  const references = built.names.map((name) => withDefaultTag(parseReference(name)));
  if (references.length === 0) await nameImage(room, { target, name: danglingName(target.digest) });
  for (const reference of references) {
    await nameImage(room, { target, name: formatCanonical(reference), event: formatFamiliar(reference) });
  }
  return target.digest;
}

/** Every snapshot that some image stands on. */
export async function snapshotsInUse(room: ImageRoom): Promise<ReadonlySet<ChainId>> {
  const inUse = new Set<ChainId>();
  for (const { target } of room.names.list()) {
    for (const { manifest } of await room.documents.manifests(target)) {
      const config = manifest === undefined ? undefined : await room.documents.configIfPresent(manifest.config.digest);
      for (const chainId of chainIds(config?.rootfs.diff_ids ?? [])) inUse.add(chainId);
    }
  }
  return inUse;
}
