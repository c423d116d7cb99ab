import type { ChainId } from '@wharf/kit';
import type { ImageSummary } from '@wharf/wire/docker/types';
import { snapshotsInUse } from './built-images.ts';
import { listImages } from './list.ts';
import type { ImageRoom } from './room.ts';

/** What file systems give out at a time, so that the sum is `du`'s. */
const BLOCK_BYTES = 4096;

export interface ImageDiskUsage {
  /** Everything images take on the disk: blobs and unpacked layers, each once. */
  readonly totalBytes: number;
  readonly images: readonly ImageSummary[];
}

/** Layers of images, and those below containers whose image is gone; what only a builder keeps is in its own account. */
async function layersInUse(room: ImageRoom): Promise<ReadonlySet<ChainId>> {
  const layers = new Set(await snapshotsInUse(room));
  for (const { key, kind, parent } of room.snapshots.list()) {
    if (kind !== 'active' || key.startsWith('build-')) continue;
    for (let at = parent; at !== '' && !layers.has(at); at = room.snapshots.stat(at)?.parent ?? '') layers.add(at);
  }
  return layers;
}

/** What `system df` says of images. */
export async function diskUsage(room: ImageRoom): Promise<ImageDiskUsage> {
  let totalBytes = 0;
  for await (const { sizeBytes } of room.content.list()) totalBytes += Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
  totalBytes += await room.layersTogether(await layersInUse(room));
  const images = await listImages(room, { all: false, filters: new Map(), sharedSize: true, manifests: false });
  return { totalBytes, images };
}
