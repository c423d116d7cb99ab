import {
  type Digest,
  formatCanonical,
  formatFamiliar,
  formatRfc3339Nano,
  parseReference,
  withDefaultTag,
} from '@wharf/kit';
import type { Descriptor, HistoryEntry, ImageConfig, Manifest } from '@wharf/oci/spec/image';
import { hostPlatform } from '@wharf/oci/spec/platform';
import { announceName } from './announce.ts';
import type { ImageService } from './image-service.ts';
import { storeImage } from './make-image.ts';
import { danglingName } from './names.ts';
import type { ImageRoom } from './room.ts';
import { type DiffedLayer, storeDiff } from './store-diff.ts';
import { nameImage } from './tag.ts';

export type CommitOptions = Parameters<ImageService['commit']>[0];

/**
 * `docker commit`: the container's own changes become a layer on top of its image's. Without changes only config and
 * history differ. Throws `invalid-argument` for a bad reference, `resource-exhausted` on a full disk.
 */
export async function commitImage(room: ImageRoom, options: CommitOptions): Promise<Digest> {
  const reference = options.reference === undefined ? undefined : withDefaultTag(parseReference(options.reference));
  try {
    using lease = room.collector.lease();
    const parent =
      options.parent === undefined ? undefined : await room.documents.manifest(options.parent.manifestDigest);
    for (const layer of parent?.layers ?? []) lease.keep(layer.digest);
    const layer = await storeDiff(room, lease, options.snapshotKey);
    const { target, manifest } = await storeImage(lease, {
      config: configOf(room, options, layer),
      layers: [...layersOf(parent), ...(layer === undefined ? [] : [layer.descriptor])],
    });
    await room.unpack(manifest);
    announceName(room, 'create', target.digest, target.digest);
    await nameImage(room, {
      target,
      name: reference === undefined ? danglingName(target.digest) : formatCanonical(reference),
      ...(options.parent === undefined ? {} : { parent: options.parent.id }),
      ...(reference === undefined ? {} : { event: formatFamiliar(reference) }),
    });
    return target.digest;
  } catch (error) {
    await room.collector.collect();
    throw error;
  }
}

function layersOf(manifest: Manifest | undefined): readonly Descriptor[] {
  return manifest?.layers ?? [];
}

function configOf(room: ImageRoom, options: CommitOptions, layer: DiffedLayer | undefined): ImageConfig {
  const host = hostPlatform();
  const parent = options.parent?.config;
  const created = formatRfc3339Nano(room.clock.nowNs());
  const author = options.author || parent?.author || '';
  const entry: HistoryEntry = {
    created,
    ...(options.createdBy === '' ? {} : { created_by: options.createdBy }),
    ...(author === '' ? {} : { author }),
    ...(options.comment === '' ? {} : { comment: options.comment }),
    ...(layer === undefined ? { empty_layer: true } : {}),
  };
  return {
    created,
    ...(author === '' ? {} : { author }),
    architecture: parent?.architecture || options.config.architecture || host.architecture,
    os: parent?.os || options.config.os || host.os,
    ...(parent?.variant ? { variant: parent.variant } : {}),
    config: options.config.config ?? {},
    rootfs: {
      type: 'layers',
      diff_ids: [...(options.parent?.diffIds ?? []), ...(layer === undefined ? [] : [layer.diffId])],
    },
    history: [...(parent?.history ?? []), entry],
  };
}
