import {
  type Digest,
  formatCanonical,
  parseReference,
  type Reference,
  shortId,
  tryParseReference,
  WharfError,
  withDefaultTag,
} from '@wharf/kit';
import { imageInManyRepositories, imageInUse, imageReferenceInUse } from '@wharf/wire/docker/messages';
import type { ImageDeleteResponseItem } from '@wharf/wire/docker/types';
import { announceName } from './announce.ts';
import { danglingName, familiarOf, type ImageName, isDangling, referenceOf } from './names.ts';
import { type AnyReference, idPrefix, noSuch, parseAnyReference, withIdPrefix } from './resolve.ts';
import type { ImageRoom } from './room.ts';
import { keepDangling } from './tag.ts';

export interface RemoveOptions {
  readonly force: boolean;
  /** Dangling parents that nothing else needs go too. */
  readonly pruneParents: boolean;
}

/** What stands against a removal; each may be ignored or not. */
interface Conflicts {
  readonly stopped: boolean;
  readonly names: boolean;
}

/**
 * `docker rmi`: takes a name away; the last name takes the image with it, and its content is collected before this resolves.
 * Throws `not-found`, `conflict` with Docker's texts.
 */
export async function removeImage(
  room: ImageRoom,
  text: string,
  options: RemoveOptions,
): Promise<readonly ImageDeleteResponseItem[]> {
  const records = remove(room, text, options);
  await room.names.committed();
  await room.collector.collect();
  return records;
}

function remove(room: ImageRoom, text: string, options: RemoveOptions): ImageDeleteResponseItem[] {
  const { exact, all } = findAll(room, text);
  const [first] = all;
  if (first === undefined) throw noSuch(parseAnyReference(text));
  const id = first.target.digest;
  const conflicts: Conflicts = { stopped: !options.force, names: !options.force };
  if (exact === undefined) return removeByDigest(room, { text, id, all, conflicts, options });
  if (isIdPrefixOf(id, text) || (isDangling(exact) && text === exact.name)) {
    return deleteAll(room, id, all, conflicts, options);
  }
  const same = sameReferences(referenceOf(exact), all);
  if (same.length !== all.length) return untag(room, same);
  const [user] = room.usage().get(id) ?? [];
  if (user === undefined) return deleteAll(room, id, all, { ...conflicts, names: false }, options);
  if (!options.force) {
    throw new WharfError('conflict', imageReferenceInUse(familiarOf(exact), shortId(user.containerId), shortId(id)));
  }
  // The container goes on needing the image, so only the name goes.
  keepDangling(room, exact);
  const records = all.filter((image) => !isDangling(image)).map((image) => dropName(room, image));
  if (room.names.withTarget(id).length === 0) room.names.put({ ...exact, name: danglingName(id) });
  return records.slice(0, 1);
}

function removeByDigest(
  room: ImageRoom,
  given: {
    readonly text: string;
    readonly id: Digest;
    readonly all: readonly ImageName[];
    readonly conflicts: Conflicts;
    readonly options: RemoveOptions;
  },
): ImageDeleteResponseItem[] {
  const { text, id, all, conflicts, options } = given;
  const named = isIdPrefixOf(id, text) ? undefined : tryParseReference(text);
  const same = sameReferences(named, all);
  if (same.length === 0 && named !== undefined) throw noSuch({ kind: 'name', reference: named });
  if (named !== undefined && same.length !== all.length) return untag(room, same);
  const oneRepository = same.length === all.length;
  return deleteAll(room, id, all, { ...conflicts, names: conflicts.names && !oneRepository }, options);
}

/**
 * The image a text names exactly, if it names one, and all names of the same target. Throws `not-found`, also for an id
 * prefix that fits several images.
 */
function findAll(
  room: ImageRoom,
  text: string,
): { readonly exact: ImageName | undefined; readonly all: readonly ImageName[] } {
  if (text.startsWith('moby-dangling@')) {
    const exact = room.names.get(text);
    if (exact) return { exact, all: room.names.withTarget(exact.target.digest) };
  }
  const any = parseAnyReference(text);
  if (any.kind === 'digest') return { exact: undefined, all: allOf(room, any, any.digest) };
  const exact = room.names.get(formatCanonical(withDefaultTag(any.reference)));
  if (exact) return { exact, all: room.names.withTarget(exact.target.digest) };
  const { digest } = any.reference;
  if (digest !== undefined) {
    const pushed = room.names.list().find((image) => image.pushed?.digest === digest);
    return { exact: undefined, all: allOf(room, any, pushed?.target.digest ?? digest) };
  }
  const prefix = idPrefix(text);
  const found = prefix === undefined ? [] : withIdPrefix(room, prefix);
  if (found.length === 0) throw noSuch(any);
  if (new Set(found.map((image) => image.target.digest)).size > 1)
    throw new WharfError('not-found', 'ambiguous reference');
  return { exact: undefined, all: found };
}

function allOf(room: ImageRoom, any: AnyReference, digest: Digest): readonly ImageName[] {
  const all = room.names.withTarget(digest);
  if (all.length === 0) throw noSuch(any);
  return all;
}

function isIdPrefixOf(id: Digest, text: string): boolean {
  return id.startsWith(text) || id.slice(id.indexOf(':') + 1).startsWith(text);
}

/**
 * The names that mean the same as `named`: same repository and tag, or same repository when it has no tag to tell them
 * apart; without `named` those of the first name's repository. Dangling names always count.
 */
function sameReferences(named: Reference | undefined, all: readonly ImageName[]): ImageName[] {
  let base = named;
  let tag = named?.tag;
  const everyTag = named?.digest !== undefined && named.tag === undefined;
  const same: ImageName[] = [];
  let byDigest: ImageName[] | undefined = [];
  for (const image of all) {
    const own = referenceOf(image);
    if (own === undefined) {
      same.push(image);
      continue;
    }
    if (base === undefined) {
      base = own;
      tag = own.tag;
    } else if (base.domain !== own.domain || base.path !== own.path) {
      continue;
    } else if (!everyTag) {
      if (own.tag === undefined) {
        byDigest?.push(image);
        continue;
      }
      tag ??= own.tag;
      if (own.tag !== tag) {
        byDigest = undefined;
        continue;
      }
    }
    same.push(image);
  }
  return [...same, ...(byDigest ?? []).filter((image) => !same.includes(image))];
}

function untag(room: ImageRoom, images: readonly ImageName[]): ImageDeleteResponseItem[] {
  return images.map((image) => dropName(room, image));
}

function dropName(room: ImageRoom, image: ImageName): ImageDeleteResponseItem {
  const familiar = familiarOf(image);
  room.names.delete(image.name);
  announceName(room, 'untag', image.target.digest, familiar);
  return { Untagged: familiar };
}

function deleteAll(
  room: ImageRoom,
  id: Digest,
  all: readonly ImageName[],
  conflicts: Conflicts,
  options: RemoveOptions,
): ImageDeleteResponseItem[] {
  checkConflicts(room, id, all, conflicts);
  const records: ImageDeleteResponseItem[] = [];
  const parents = options.pruneParents ? parentsOf(room, all) : [];
  room.names.transaction(() => {
    const needed = hasChildren(room, id) && !options.force;
    for (const image of all) {
      if (isDangling(image)) room.names.delete(image.name);
      else records.push(dropName(room, image));
    }
    const [first] = all;
    if (needed && first && !isDangling(first)) room.names.put({ ...first, name: danglingName(id) });
  });
  announceName(room, 'delete', id, id);
  records.push({ Deleted: id });
  for (const parent of parents) {
    if (!isDangling(parent) || hasChildren(room, parent.target.digest) || isUsed(room, parent.target.digest)) break;
    room.names.delete(parent.name);
    announceName(room, 'delete', parent.target.digest, parent.target.digest);
    records.push({ Deleted: parent.target.digest });
  }
  return records;
}

function checkConflicts(room: ImageRoom, id: Digest, all: readonly ImageName[], conflicts: Conflicts): void {
  const users = room.usage().get(id) ?? [];
  const running = users.find((user) => user.running);
  if (running) {
    throw new WharfError('conflict', imageInUse(shortId(id), shortId(running.containerId), true));
  }
  const stopped = users.find((user) => !user.running);
  if (conflicts.stopped && stopped) {
    throw new WharfError('conflict', imageInUse(shortId(id), shortId(stopped.containerId), false));
  }
  if (conflicts.names && all.length > 1) throw new WharfError('conflict', imageInManyRepositories(shortId(id)));
}

function isUsed(room: ImageRoom, id: Digest): boolean {
  return (room.usage().get(id) ?? []).length > 0;
}

function hasChildren(room: ImageRoom, id: Digest): boolean {
  return room.names.list().some((image) => image.parent === id);
}

/** The line of parents, nearest first. */
function parentsOf(room: ImageRoom, all: readonly ImageName[]): ImageName[] {
  const line: ImageName[] = [];
  const seen = new Set<Digest>();
  let parent = all.find((image) => image.parent !== undefined)?.parent;
  while (parent !== undefined && !seen.has(parent)) {
    seen.add(parent);
    const named = room.names.withTarget(parent);
    const [image] = named;
    if (image === undefined || named.length > 1) break;
    line.push(image);
    parent = image.parent;
  }
  return line;
}

/** Checks a reference for a removal or other verb that takes a blank name for a mistake. */
export function requireName(text: string): string {
  if (text.trim() === '') throw new WharfError('invalid-argument', 'image name cannot be blank');
  if (idPrefix(text) === undefined) parseReference(text.startsWith('moby-dangling@') ? 'x' : text);
  return text;
}
