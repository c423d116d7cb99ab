import {
  type Digest,
  type Filters,
  filterBoolean,
  formatCanonical,
  tryParseReference,
  WharfError,
  withDefaultTag,
} from '@wharf/kit';
import type { Descriptor } from '@wharf/oci/spec/image';
import { isIndexType, isManifestType } from '@wharf/oci/spec/media-types';
import type { ImageDeleteResponseItem, ImagePruneResponse } from '@wharf/wire/docker/types';
import { announceName } from './announce.ts';
import { imageFilter } from './list-filters.ts';
import { danglingName, familiarOf, type ImageName, isDangling } from './names.ts';
import type { ImageRoom } from './room.ts';

const FILTERS = ['dangling', 'label', 'label!', 'until'];
const running = new WeakSet<ImageRoom>();

/** `docker image prune`: dangling images, or with `dangling=false` all that no container uses. Throws `conflict` while another runs. */
export async function pruneImages(room: ImageRoom, filters: Filters): Promise<ImagePruneResponse> {
  if (running.has(room)) throw new WharfError('conflict', 'a prune operation is already running');
  running.add(room);
  try {
    return await prune(room, filters);
  } finally {
    running.delete(room);
  }
}

async function prune(room: ImageRoom, filters: Filters): Promise<ImagePruneResponse> {
  const danglingOnly = filterBoolean(filters, 'dangling', true);
  const accepts = await imageFilter(room, new Map([...filters].filter(([key]) => key !== 'dangling')), FILTERS);
  const candidates: ImageName[] = [];
  for (const image of room.names.list()) {
    if ((!danglingOnly || isDangling(image)) && (await accepts(image))) candidates.push(image);
  }
  const documents = new Map<ImageName, readonly Descriptor[]>();
  for (const image of candidates) documents.set(image, await room.documents.present(image.target));
  // Chosen and removed in one turn, so that a name that came or changed meanwhile is judged as it is now.
  const doomed = withoutUsed(
    room,
    candidates.filter((image) => room.names.get(image.name)?.target.digest === image.target.digest),
  );
  for (const image of doomed) room.names.delete(image.name);
  for (const image of doomed) announceName(room, 'untag', image.target.digest, familiarOf(image));
  await room.names.committed();
  const { blobs, snapshots } = await room.collector.collect();
  const gone = new Set(blobs.map((blob) => blob.digest));
  const SpaceReclaimed =
    blobs.reduce((sum, blob) => sum + blob.sizeBytes, 0) + snapshots.reduce((sum, each) => sum + each.sizeBytes, 0);
  const ImagesDeleted = records(room, doomed, documents, gone);
  return { ImagesDeleted: ImagesDeleted.length === 0 ? null : ImagesDeleted, SpaceReclaimed };
}

function records(
  room: ImageRoom,
  doomed: readonly ImageName[],
  documents: ReadonlyMap<ImageName, readonly Descriptor[]>,
  gone: ReadonlySet<Digest>,
): ImageDeleteResponseItem[] {
  const result: ImageDeleteResponseItem[] = [];
  const told = new Set<Digest>();
  for (const image of doomed) {
    result.push({ Untagged: familiarOf(image) });
    let deleted = false;
    for (const { digest, mediaType } of documents.get(image) ?? []) {
      if (told.has(digest) || !gone.has(digest) || !(isManifestType(mediaType) || isIndexType(mediaType))) continue;
      told.add(digest);
      deleted = true;
      result.push({ Deleted: digest });
    }
    if (deleted) announceName(room, 'delete', image.target.digest, familiarOf(image));
  }
  return result;
}

/**
 * Leaves out what containers use: the name each was made from, the dangling name of its image, and the last name of an image
 * that a container names by id or of which it is not known how it was named.
 */
function withoutUsed(room: ImageRoom, candidates: readonly ImageName[]): ImageName[] {
  const kept = new Set<string>();
  const usedIds = new Set<Digest>();
  for (const [id, users] of room.usage()) {
    if (users.length > 0) kept.add(danglingName(id));
    for (const { reference } of users) {
      const named = reference === undefined ? undefined : tryParseReference(reference);
      if (
        reference === undefined ||
        id.startsWith(`sha256:${reference.replace(/^sha256:/, '')}`) ||
        reference.endsWith(`@${id}`)
      ) {
        usedIds.add(id);
      }
      if (named === undefined) continue;
      kept.add(formatCanonical(withDefaultTag(named)));
      if (named.tag !== undefined) kept.add(formatCanonical({ ...named, digest: undefined }));
    }
  }
  const counts = new Map<Digest, number>();
  for (const { target } of room.names.list()) counts.set(target.digest, (counts.get(target.digest) ?? 0) + 1);
  return [...candidates]
    .filter((image) => !kept.has(image.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .filter((image) => {
      const id = image.target.digest;
      const left = counts.get(id) ?? 0;
      if (left <= 1 && usedIds.has(id)) return false;
      counts.set(id, left - 1);
      return true;
    });
}
