import type { ChainId } from '@wharf/kit';
import { isDigest } from '@wharf/kit';
import type { ImageSummary } from '@wharf/wire/docker/types';
import { listImages } from './list.ts';
import type { ImageRoom } from './room.ts';

/** What file systems give out at a time, so that the sum is `du`'s. */
const BLOCK_BYTES = 4096;

export interface ImageDiskUsage {
  /** Everything images take on the disk: blobs and unpacked layers, each once. */
  readonly totalBytes: number;
  readonly images: readonly ImageSummary[];
}

/** What `system df` says of images. */
export async function diskUsage(room: ImageRoom): Promise<ImageDiskUsage> {
  let totalBytes = 0;
  for await (const { sizeBytes } of room.content.list()) totalBytes += Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES;
  for (const { key, kind } of room.snapshots.list()) {
    if (kind === 'committed' && isDigest(key)) totalBytes += await room.layerSize(key as unknown as ChainId);
  }
  const images = await listImages(room, { all: false, filters: new Map(), sharedSize: true, manifests: false });
  return { totalBytes, images };
}
