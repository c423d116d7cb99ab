import { formatCanonical, formatFamiliar, tryParseReference, WharfError, withDefaultTag } from '@wharf/kit';
import type { ArchivedImage, ArchiveProgress } from '@wharf/oci/archive/image-archive';
import { readImageArchive } from '@wharf/oci/archive/read-archive';
import type { Descriptor } from '@wharf/oci/spec/image';
import { isIndexType, isManifestType } from '@wharf/oci/spec/media-types';
import { formatPlatform, hostPlatform, platformMatches } from '@wharf/oci/spec/platform';
import { announce } from './announce.ts';
import type { Lease } from './collector.ts';
import { isPseudoImage, type ManifestNode } from './documents.ts';
import { EagerLayers } from './eager-layers.ts';
import type { ImagePlatform } from './image-service.ts';
import { sinkOf } from './lease-sink.ts';
import { danglingName, familiarOf, type ImageName, isDangling } from './names.ts';
import type { ImageRoom } from './room.ts';
import { putName } from './tag.ts';

export interface LoadOptions {
  readonly source: AsyncIterable<Uint8Array>;
  readonly platforms: readonly ImagePlatform[];
  readonly onProgress?: (progress: ArchiveProgress) => void;
}

/**
 * `docker load`: takes the archive's blobs in as they arrive, unpacks what this host can run, and only then names the images,
 * all of them or none. Returns them. On any failure the space is given back before this rejects.
 */
export async function loadImages(room: ImageRoom, options: LoadOptions): Promise<readonly ImageName[]> {
  try {
    using lease = room.collector.lease();
    await using eager = new EagerLayers(room);
    const found = await readImageArchive({
      source: options.source,
      sink: sinkOf(room, lease, (blob) => eager.offer(blob)),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    });
    await Promise.all(found.map((image) => check(room, lease, image, options.platforms)));
    for (const { target } of found) await unpackTarget(room, eager, target, options.platforms);
    const named = room.names.transaction(() => found.map((image) => giveName(room, image)));
    await room.names.committed();
    for (const image of named) await announce(room, 'load', image, image.target.digest);
    return named;
  } finally {
    // Members that no image refers to, or all of them after a failure.
    await room.collector.collect();
  }
}

/** The line that ends the load of one image. */
export function loadedMessage(image: ImageName): string {
  return isDangling(image) ? `Loaded image ID: ${image.target.digest}` : `Loaded image: ${familiarOf(image)}`;
}

/** Checks that an image is whole for at least one platform, or for one of those asked. Throws `data-loss`, `not-found`. */
async function check(
  room: ImageRoom,
  lease: Lease,
  { target, name }: ArchivedImage,
  platforms: readonly ImagePlatform[],
): Promise<void> {
  const shown = name ?? target.digest;
  if (!isIndexType(target.mediaType) && !isManifestType(target.mediaType)) {
    throw new WharfError(
      'data-loss',
      `Cannot load image "${shown}": its media type "${target.mediaType}" is neither a manifest nor an index`,
    );
  }
  const reachable = await room.documents.reachable(target);
  await Promise.all(reachable.map((descriptor) => lease.adopt(descriptor.digest)));
  if ((await room.content.stat(target.digest)) === undefined) {
    throw new WharfError(
      'data-loss',
      `Cannot load image "${shown}": its manifest ${target.digest} is not in the archive`,
    );
  }
  for (const descriptor of reachable) await checkSize(room, descriptor, shown);
  const nodes = (await room.documents.manifests(target)).filter((node) => !isPseudoImage(node));
  const whole: ManifestNode[] = [];
  for (const node of nodes) if (await room.documents.isAvailable(node)) whole.push(node);
  if (whole.length === 0 && nodes.length > 0) {
    throw new WharfError('data-loss', `Cannot load image "${shown}": the archive lacks parts of it`);
  }
  if (platforms.length === 0) return;
  for (const node of whole) if (await isWanted(room, node, platforms)) return;
  const list = platforms.map(formatPlatform).join(' ');
  throw new WharfError('not-found', `image ${familiarName(shown)} doesn't provide the requested platform ([${list}])`);
}

async function checkSize(room: ImageRoom, { digest, size }: Descriptor, shown: string): Promise<void> {
  const info = await room.content.stat(digest);
  if (info !== undefined && info.sizeBytes !== size) {
    throw new WharfError(
      'data-loss',
      `Cannot load image "${shown}": blob ${digest} has ${info.sizeBytes} bytes where its descriptor says ${size}`,
    );
  }
}

async function isWanted(room: ImageRoom, node: ManifestNode, platforms: readonly ImagePlatform[]): Promise<boolean> {
  const have = await room.documents.platformOf(node);
  return have !== undefined && platforms.some((wanted) => platformMatches(wanted, have));
}

async function unpackTarget(
  room: ImageRoom,
  eager: EagerLayers,
  target: Descriptor,
  platforms: readonly ImagePlatform[],
): Promise<void> {
  const wanted = platforms.length === 0 ? [hostPlatform()] : platforms;
  for (const node of await room.documents.manifests(target)) {
    if (isPseudoImage(node) || !(await room.documents.isAvailable(node)) || !(await isWanted(room, node, wanted)))
      continue;
    if (node.manifest !== undefined) await room.unpack(node.manifest, { ahead: eager });
  }
}

function giveName(room: ImageRoom, { target, name: given }: ArchivedImage): ImageName {
  const reference = given === undefined ? undefined : tryParseReference(given);
  if (reference !== undefined) return putName(room, { name: formatCanonical(withDefaultTag(reference)), target });
  const name = danglingName(target.digest);
  const [already] = room.names.withTarget(target.digest);
  // What has a name keeps it; the archive gave none, and so the one who loads it is told of none.
  return already === undefined ? putName(room, { name, target }) : { ...already, name };
}

function familiarName(name: string): string {
  const reference = tryParseReference(name);
  return reference === undefined ? name : formatFamiliar(reference);
}
