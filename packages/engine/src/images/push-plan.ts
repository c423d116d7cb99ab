import { canonicalName, type Reference, WharfError } from '@wharf/kit';
import type { Descriptor } from '@wharf/oci/spec/image';
import { isIndexType, isManifestType } from '@wharf/oci/spec/media-types';
import { formatPlatform, hostPlatform, platformMatches } from '@wharf/oci/spec/platform';
import { imagePlatformMissing } from '@wharf/wire/docker/messages';
import { sourcesOf } from './blob-sources.ts';
import { isAttestation, type ManifestNode } from './documents.ts';
import type { ImagePlatform } from './image-service.ts';
import { familiarOf, type ImageName } from './names.ts';
import { bestManifest } from './resolve.ts';
import type { ImageRoom } from './room.ts';

export interface PushedBlobPlan {
  readonly descriptor: Descriptor;
  /** Repositories of the registry that have it. */
  readonly mountFrom: readonly string[];
}

/** What is to be sent, in order. */
export interface PushPlan {
  readonly target: Descriptor;
  readonly blobs: readonly PushedBlobPlan[];
  /** Manifests before the indexes that name them; the target is the last. */
  readonly documents: readonly Descriptor[];
  /** Layers that are left where they are. */
  readonly foreign: readonly Descriptor[];
  /** Content that is neither here nor to be had from the registry. */
  readonly missing: readonly Descriptor[];
}

/** What pushing a target takes. */
export async function planPush(room: ImageRoom, reference: Reference, target: Descriptor): Promise<PushPlan> {
  const blobs = new Map<string, PushedBlobPlan>();
  const documents = new Map<string, Descriptor>();
  const foreign: Descriptor[] = [];
  const missing: Descriptor[] = [];
  const visit = async (descriptor: Descriptor): Promise<void> => {
    if (blobs.has(descriptor.digest) || documents.has(descriptor.digest)) return;
    const isDocument = isIndexType(descriptor.mediaType) || isManifestType(descriptor.mediaType);
    const isHere = (await room.content.stat(descriptor.digest)) !== undefined;
    if (isDocument) {
      const children = isHere ? await room.documents.children(descriptor) : undefined;
      if (children === undefined) {
        missing.push(descriptor);
        return;
      }
      for (const child of children) await visit(child);
      documents.set(descriptor.digest, descriptor);
      return;
    }
    if (isForeign(descriptor)) {
      foreign.push(descriptor);
      return;
    }
    const mountFrom = mountable(room, reference, descriptor);
    if (!isHere && mountFrom.length === 0) missing.push(descriptor);
    else blobs.set(descriptor.digest, { descriptor, mountFrom });
  };
  await visit(target);
  return { target, blobs: [...blobs.values()], documents: [...documents.values()], foreign, missing };
}

/** Layers that may not be given on lie where their descriptor says. */
function isForeign({ mediaType, urls = [] }: Descriptor): boolean {
  return urls.length > 0 && /\.foreign\.diff\.tar|\.nondistributable\./.test(mediaType);
}

function mountable(room: ImageRoom, reference: Reference, { digest }: Descriptor): readonly string[] {
  const [prefix, own] = [`${reference.domain}/`, canonicalName(reference)];
  const known = sourcesOf(room, digest).filter((name) => name.startsWith(prefix) && name !== own);
  return known
    .map((name) => name.slice(prefix.length))
    .toReversed()
    .slice(0, 2);
}

/**
 * The part of an image to push when a platform is asked for, or when the whole is not here: its only manifest that is, or the one
 * for this host. Throws `not-found` and `conflict` in dockerd's words.
 */
export async function partToPush(
  room: ImageRoom,
  image: ImageName,
  wanted: ImagePlatform | undefined,
): Promise<Descriptor> {
  const all = (await room.documents.manifests(image.target)).filter(({ descriptor }) => !isAttestation(descriptor));
  const here: ManifestNode[] = [];
  let anyMissing = false;
  for (const node of all) {
    if (!(await room.documents.isAvailable(node))) anyMissing = true;
    else if (wanted === undefined || (await matches(room, node, wanted))) here.push(node);
  }
  const [first] = here;
  if (first === undefined) {
    const text = wanted === undefined ? undefined : formatPlatform(wanted);
    throw new WharfError('not-found', imagePlatformMissing(familiarOf(image), text));
  }
  if (wanted !== undefined) {
    if (here.length === 1) return first.descriptor;
    throw new WharfError('conflict', `multiple manifests found for platform ${formatPlatform(wanted)}`);
  }
  if (!anyMissing) return image.target;
  if (here.length === 1) return first.descriptor;
  const best = await bestManifest(room, image, hostPlatform()).catch(() => undefined);
  if (best !== undefined && here.some(({ descriptor }) => descriptor.digest === best.descriptor.digest))
    return best.descriptor;
  throw new WharfError('conflict', 'multiple matching manifests found but no specific platform requested');
}

async function matches(room: ImageRoom, node: ManifestNode, wanted: ImagePlatform): Promise<boolean> {
  const have = await room.documents.platformOf(node);
  return have !== undefined && platformMatches(wanted, have);
}
