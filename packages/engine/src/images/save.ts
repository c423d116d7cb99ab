import {
  canonicalName,
  type Digest,
  formatCanonical,
  formatFamiliar,
  type Reference,
  tryParseReference,
  WharfError,
  withDefaultTag,
} from '@wharf/kit';
import { IMAGE_NAME_ANNOTATION, REF_NAME_ANNOTATION } from '@wharf/oci/archive/image-archive';
import { type ImageToWrite, writeImageArchive } from '@wharf/oci/archive/write-archive';
import type { Descriptor, Platform } from '@wharf/oci/spec/image';
import { isIndexType, isManifestType } from '@wharf/oci/spec/media-types';
import { hostPlatform, platformMatches, platformRank } from '@wharf/oci/spec/platform';
import { announce } from './announce.ts';
import type { Lease } from './collector.ts';
import { isPseudoImage, type ManifestNode } from './documents.ts';
import type { ImagePlatform } from './image-service.ts';
import { type ImageName, referenceOf } from './names.ts';
import { bestManifest, findImage, noSuch } from './resolve.ts';
import type { ImageRoom } from './room.ts';

export interface SaveOptions {
  readonly names: readonly string[];
  readonly platforms: readonly ImagePlatform[];
}

interface Wanted {
  readonly image: ImageName;
  /** The name the archive gives it; none when it was asked for by id. */
  readonly reference: Reference | undefined;
}

/**
 * `docker save`: resolves everything first (throws `not-found`, `invalid-argument`), then returns the archive's bytes. The
 * content stays for as long as the archive is being read.
 */
export async function saveImages(room: ImageRoom, options: SaveOptions): Promise<AsyncGenerator<Buffer>> {
  if (options.names.length === 0) throw new WharfError('invalid-argument', 'no image names were given');
  const lease = room.collector.lease();
  try {
    const images: ImageToWrite[] = [];
    for (const { image, reference } of options.names.flatMap((name) => wantedBy(room, name))) {
      images.push(await plan(room, lease, { image, reference }, options.platforms));
      await announce(room, 'save', image, image.target.digest);
    }
    return streamUnder(lease, writeImageArchive(room.content, images));
  } catch (error) {
    lease[Symbol.dispose]();
    throw error;
  }
}

async function* streamUnder(lease: Lease, source: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  using _lease = lease;
  yield* source;
}

/** One image, or for a repository without tag all its tags. */
function wantedBy(room: ImageRoom, name: string): Wanted[] {
  const reference = tryParseReference(name);
  const image = findOrUndefined(room, name);
  const byId = image?.target.digest.replace(/^sha\d+:/, '').startsWith(name.replace(/^sha\d+:/, ''));
  if (image === undefined || !byId) {
    if (reference !== undefined && reference.tag === undefined && reference.digest === undefined)
      return repository(room, reference);
  }
  const found = image ?? findImage(room, name);
  if (byId || reference?.digest !== undefined) return [{ image: found, reference: undefined }];
  return [{ image: found, reference }];
}

function findOrUndefined(room: ImageRoom, name: string): ImageName | undefined {
  try {
    return findImage(room, name);
  } catch (error) {
    if (error instanceof WharfError) return undefined;
    throw error;
  }
}

function repository(room: ImageRoom, reference: Reference): Wanted[] {
  const wanted = room.names
    .list()
    .map((image) => ({ image, reference: referenceOf(image) }))
    .filter((each) => each.reference?.tag !== undefined && canonicalName(each.reference) === canonicalName(reference));
  if (wanted.length === 0) throw noSuch({ kind: 'name', reference });
  return wanted;
}

async function plan(
  room: ImageRoom,
  lease: Lease,
  wanted: Wanted,
  platforms: readonly ImagePlatform[],
): Promise<ImageToWrite> {
  const [only] = platforms;
  const single =
    platforms.length === 1 && only !== undefined
      ? (await bestManifest(room, wanted.image, only)).descriptor
      : undefined;
  const target = annotated(single ?? wanted.image.target, wanted.reference);
  const blobs = await blobsOf(room, lease, target, platforms);
  const docker = await dockerManifest(room, target, platforms);
  const { reference } = wanted;
  return {
    target,
    blobs,
    docker,
    familiarName: reference === undefined ? undefined : formatFamiliar(withDefaultTag(reference)),
  };
}

/** The target as `index.json` shows it: the name it is saved by, and none of the names it had before. */
function annotated(target: Descriptor, reference: Reference | undefined): Descriptor {
  const { annotations = {}, ...rest } = target;
  const kept = Object.fromEntries(
    Object.entries(annotations).filter(([key]) => key !== IMAGE_NAME_ANNOTATION && key !== REF_NAME_ANNOTATION),
  );
  if (reference === undefined) return { ...rest, annotations: kept };
  const name = formatCanonical(withDefaultTag(reference));
  return {
    ...rest,
    annotations: { ...kept, [IMAGE_NAME_ANNOTATION]: name, [REF_NAME_ANNOTATION]: reference.tag ?? name },
  };
}

/** Indexes and manifests that are there, and of each manifest its content if all of that is there. */
async function blobsOf(
  room: ImageRoom,
  lease: Lease,
  target: Descriptor,
  platforms: readonly ImagePlatform[],
): Promise<readonly Descriptor[]> {
  const blobs = new Map<Digest, Descriptor>();
  const visit = async (descriptor: Descriptor): Promise<void> => {
    if (blobs.has(descriptor.digest)) return;
    const info = await lease.adopt(descriptor.digest);
    if (info === undefined) return;
    const children = (await room.documents.children(descriptor)) ?? [];
    blobs.set(descriptor.digest, descriptor);
    if (isIndexType(descriptor.mediaType)) {
      for (const child of children) if (await isSaved(room, child, platforms)) await visit(child);
    } else if (isManifestType(descriptor.mediaType)) {
      const infos = await Promise.all(children.map((child) => lease.adopt(child.digest)));
      if (infos.every((child) => child !== undefined)) for (const child of children) blobs.set(child.digest, child);
    }
  };
  await visit(target);
  return [...blobs.values()];
}

async function isSaved(room: ImageRoom, descriptor: Descriptor, platforms: readonly ImagePlatform[]): Promise<boolean> {
  if (platforms.length === 0 || isIndexType(descriptor.mediaType)) return true;
  const [node] = await room.documents.manifests(descriptor);
  const have = node === undefined ? descriptor.platform : await room.documents.platformOf(node);
  return have === undefined || platforms.some((wanted) => platformMatches(wanted, have));
}

/** The manifest that readers of `manifest.json` get: the host's platform if it is among those saved. */
async function dockerManifest(
  room: ImageRoom,
  target: Descriptor,
  platforms: readonly ImagePlatform[],
): Promise<ImageToWrite['docker']> {
  const host = hostPlatform();
  let best: { readonly node: ManifestNode; readonly rank: number } | undefined;
  for (const node of await room.documents.manifests(target)) {
    if (
      isPseudoImage(node) ||
      !(await room.documents.isAvailable(node)) ||
      !(await isSaved(room, node.descriptor, platforms))
    )
      continue;
    const rank = hostRank(await room.documents.platformOf(node), host);
    if (best === undefined || rank < best.rank) best = { node, rank };
  }
  const manifest = best?.node.manifest;
  if (best === undefined || manifest === undefined) return undefined;
  return {
    digest: best.node.descriptor.digest,
    config: manifest.config.digest,
    layers: manifest.layers.map((layer) => layer.digest),
  };
}

function hostRank(have: Platform | undefined, host: Platform): number {
  return (have === undefined ? undefined : platformRank(host, have)) ?? 1000;
}
