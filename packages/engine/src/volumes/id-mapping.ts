import { closeSync } from 'node:fs';
import { WharfError } from '@wharf/kit';
import { type IdMapping, type IdRange, openUserNamespace } from '@wharf/linux/user-namespace';
import type { IDMapping } from '@wharf/wire/docker/types';

/** The largest number of ids there are: the last value means "none". */
const ALL_IDS = 2 ** 32 - 1;

/** Checks a request's id mapping. Throws `invalid-argument`. */
export function checkIdMapping(mapping: IDMapping | null | undefined): void {
  if (mapping === null || mapping === undefined) return;
  const { Source: source = '', User: user = '' } = mapping;
  if (source !== '' && source !== 'match-user' && source !== 'userns') {
    throw new WharfError('invalid-argument', `invalid ID mapping source: ${source}`);
  }
  if (user !== '' && source !== 'match-user') {
    throw new WharfError('invalid-argument', 'an ID mapping with a User must have the source "match-user"');
  }
}

/**
 * The mapping that shows what belongs to `onDisk` as `seen`'s, and the other way round; every other id stays itself, so
 * that a mapped mount is no narrower than a plain one. Undefined when nothing would change.
 */
export function matchOwner(
  onDisk: { readonly uid: number; readonly gid: number },
  seen: { readonly uid: number; readonly gid: number },
): IdMapping | undefined {
  if (onDisk.uid === seen.uid && onDisk.gid === seen.gid) return undefined;
  return { uids: swap(onDisk.uid, seen.uid), gids: swap(onDisk.gid, seen.gid) };
}

function swap(a: number, b: number): readonly IdRange[] {
  const low = Math.min(a, b);
  const high = Math.max(a, b);
  const same = (from: number, to: number): IdRange => ({ inside: from, outside: from, count: to - from });
  if (low === high) return [same(0, ALL_IDS)];
  return [
    same(0, low),
    { inside: low, outside: high, count: 1 },
    same(low + 1, high),
    { inside: high, outside: low, count: 1 },
    same(high + 1, ALL_IDS),
  ].filter(({ count }) => count > 0);
}

/** Runs `work` with a user namespace of that mapping. */
export function withUserNamespace<T>(mapping: IdMapping | undefined, work: (fd: number | undefined) => T): T {
  if (mapping === undefined) return work(undefined);
  const fd = openUserNamespace(mapping);
  try {
    return work(fd);
  } finally {
    closeSync(fd);
  }
}
