import type { ResolvedUser } from '../runtime/oci-spec/users.ts';
import type { LiveContainer } from './live.ts';
import type { Room } from './room.ts';
import { acquireRootfs, releaseRootfs } from './rootfs.ts';
import { userIn } from './user-lookup.ts';

/** A user (`--user`) as the container's own files have it. The caller holds the container's lock. */
export async function userOf(room: Room, live: LiveContainer, user: string): Promise<ResolvedUser> {
  const rootfs = await acquireRootfs(room, live);
  try {
    return userIn(rootfs, user);
  } finally {
    await releaseRootfs(room, live);
  }
}
