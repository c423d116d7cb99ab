import {
  type Digest,
  familiarName,
  formatCanonical,
  formatFamiliar,
  formatRfc3339Nano,
  type Reference,
  WharfError,
} from '@wharf/kit';
import type { Descriptor } from '@wharf/oci/spec/image';
import { announce } from './announce.ts';
import { danglingName, type ImageName, isDangling } from './names.ts';
import { bestManifest, findImage } from './resolve.ts';
import type { ImageRoom } from './room.ts';

/**
 * Gives an image one more name (`docker tag`). The image that had the name keeps existing, as dangling if that was its last.
 * Throws `not-found`, `invalid-argument`.
 */
export async function tagImage(room: ImageRoom, source: string, reference: Reference): Promise<void> {
  if (familiarName(reference) === 'sha256') {
    throw new WharfError('invalid-argument', 'refusing to create an ambiguous tag using digest algorithm as name');
  }
  const image = findImage(room, source);
  await bestManifest(room, image);
  await nameImage(room, {
    name: formatCanonical(reference),
    target: image.target,
    ...(image.parent === undefined ? {} : { parent: image.parent }),
    event: formatFamiliar(reference),
  });
}

export interface NewName {
  readonly name: string;
  readonly target: Descriptor;
  readonly parent?: Digest;
  /** Publishes `tag` with this text; silent when absent. */
  readonly event?: string;
}

/**
 * Points a name at a target, durably. What the name pointed at before becomes dangling when no other name has it; a
 * dangling name of the new target goes, since it now has a real one.
 */
export async function nameImage(room: ImageRoom, options: NewName): Promise<ImageName> {
  const { event, ...given } = options;
  const image = putName(room, given);
  await room.names.committed();
  if (event !== undefined && !isDangling(image)) await announce(room, 'tag', image, event);
  return image;
}

/** The part of `nameImage` that is one step; not yet durable and without event. */
export function putName(room: ImageRoom, given: Omit<NewName, 'event'>): ImageName {
  const now = formatRfc3339Nano(room.clock.nowNs());
  return room.names.transaction(() => {
    const before = room.names.get(given.name);
    const same = before?.target.digest === given.target.digest;
    if (before && !same) keepDangling(room, before);
    const kept = same && before?.pushed !== undefined ? { pushed: before.pushed } : {};
    const image: ImageName = { ...kept, ...given, createdAt: same && before ? before.createdAt : now, updatedAt: now };
    room.names.put(image);
    if (!isDangling(image)) room.names.delete(danglingName(image.target.digest));
    return image;
  });
}

/** Keeps an image reachable under a dangling name when `image` is the last name it has and is about to go. */
export function keepDangling(room: ImageRoom, image: ImageName): void {
  if (room.names.withTarget(image.target.digest).length > 1) return;
  const now = formatRfc3339Nano(room.clock.nowNs());
  const { pushed: _, ...rest } = image;
  room.names.put({ ...rest, name: danglingName(image.target.digest), createdAt: now, updatedAt: now });
}
