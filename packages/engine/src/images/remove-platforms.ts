import { type Digest, shortId, WharfError } from '@wharf/kit';
import { isManifestType } from '@wharf/oci/spec/media-types';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { imageInUse } from '@wharf/wire/docker/messages';
import type { ImageDeleteResponseItem } from '@wharf/wire/docker/types';
import type { ImagePlatform } from './image-service.ts';
import { bestManifest, findImage } from './resolve.ts';
import type { ImageRoom } from './room.ts';

/**
 * `docker rmi --platform`: drops the content of some platforms, also from other images that share it, and keeps the index.
 * Throws `invalid-argument` without force, `conflict` when a running container uses one, `not-found`.
 */
export async function removePlatforms(
  room: ImageRoom,
  text: string,
  platforms: readonly ImagePlatform[],
  force: boolean,
): Promise<readonly ImageDeleteResponseItem[]> {
  if (!force) {
    throw new WharfError(
      'invalid-argument',
      'Content will be removed from all images referencing this variant. Use —-force to force delete.',
    );
  }
  const image = findImage(room, text);
  const users = room.usage().get(image.target.digest) ?? [];
  const records: ImageDeleteResponseItem[] = [];
  for (const platform of platforms) {
    const { descriptor } = await bestManifest(room, image, platform, { strict: true });
    const user = users.find((each) => each.running && (each.manifestDigest || descriptor.digest) === descriptor.digest);
    if (user)
      throw new WharfError(
        'conflict',
        `${imageInUse(shortId(descriptor.digest), shortId(user.containerId), true)} (${formatPlatform(platform)})`,
      );
    const shared = await keptByOthers(room, descriptor.digest);
    for (const { digest, mediaType } of await room.documents.present(descriptor)) {
      if (shared.has(digest)) continue;
      await room.content.delete(digest);
      room.documents.forget(digest);
      if (isManifestType(mediaType)) records.push({ Deleted: digest });
    }
  }
  await room.collector.collect();
  return records;
}

/** What manifests other than this one need. */
async function keptByOthers(room: ImageRoom, manifest: Digest): Promise<Set<Digest>> {
  const kept = new Set<Digest>();
  for (const { target } of room.names.list()) {
    for (const node of await room.documents.manifests(target)) {
      if (node.descriptor.digest === manifest) continue;
      for (const child of (await room.documents.children(node.descriptor)) ?? []) kept.add(child.digest);
    }
  }
  return kept;
}
