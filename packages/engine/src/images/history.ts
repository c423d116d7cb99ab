import { parseRfc3339, WharfError } from '@wharf/kit';
import { chainIds } from '@wharf/oci/spec/chain-id';
import type { ImageHistoryResponseItem } from '@wharf/wire/docker/types';
import type { ImagePlatform } from './image-service.ts';
import { familiarOf, isDangling } from './names.ts';
import { bestManifest, findImage } from './resolve.ts';
import type { ImageRoom } from './room.ts';

const MISSING = '<missing>';

/** `docker history`, newest first. Throws `not-found`; `data-loss` when the history names more layers than there are. */
export async function imageHistory(
  room: ImageRoom,
  text: string,
  platform?: ImagePlatform,
): Promise<ImageHistoryResponseItem[]> {
  const image = findImage(room, text);
  const { manifest } = await bestManifest(room, image, platform);
  if (manifest === undefined) return [];
  const config = await room.documents.config(manifest.config.digest);
  const sizes = await Promise.all(chainIds(config.rootfs.diff_ids).map((chainId) => room.layerSize(chainId)));
  let layer = 0;
  const items = (config.history ?? []).map((entry) => {
    let size = 0;
    if (entry.empty_layer !== true) {
      const found = sizes[layer];
      if (found === undefined) throw new WharfError('data-loss', 'unable to find the size of the layer');
      size = found;
      layer += 1;
    }
    const created = entry.created === undefined ? undefined : parseRfc3339(entry.created);
    return {
      Comment: entry.comment ?? '',
      Created: created === undefined ? 0 : Number(created / 1_000_000_000n),
      CreatedBy: entry.created_by ?? '',
      Id: MISSING,
      Size: size,
      Tags: null,
    };
  });
  return withIds(room, image.target.digest, items.reverse());
}

/** Fills in ids and tags along the line of parents that commits left. */
function withIds(room: ImageRoom, id: string, items: readonly ImageHistoryResponseItem[]): ImageHistoryResponseItem[] {
  let current: string | undefined = id;
  return items.map((item) => {
    if (current === undefined) return item;
    const Id = current;
    const names = room.names.list().filter((image) => image.target.digest === Id);
    const tags = names.filter((image) => !isDangling(image)).map(familiarOf);
    current = names.find((image) => image.parent !== undefined)?.parent;
    return { ...item, Id, Tags: tags.length === 0 ? null : tags };
  });
}
