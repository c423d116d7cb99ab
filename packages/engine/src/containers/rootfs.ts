import { mkdirSync } from 'node:fs';
import { hasErrno, messageOf } from '@wharf/kit';
import { isMountPoint, unmountAside } from '@wharf/linux/mount';
import { mountSnapshot } from '@wharf/oci/snapshots/mount-snapshot';
import type { LiveContainer } from './live.ts';
import { pathsOf, type Room } from './room.ts';

/** Mounts the container's root filesystem for one more user and returns where. */
export async function acquireRootfs(room: Room, live: LiveContainer): Promise<string> {
  // Its last user may still be taking it down.
  await live.rootfsLeaving;
  const { bundle, rootfs } = pathsOf(room, live.id);
  if (live.rootfsUsers === 0) {
    mkdirSync(bundle, { recursive: true, mode: 0o710 });
    mkdirSync(rootfs, { recursive: true, mode: 0o755 });
    // What a container made with --rm writes is gone with it: nothing need reach the disk when it ends.
    const volatile = live.record.hostConfig.AutoRemove === true;
    if (!isMountPoint(rootfs)) mountSnapshot(room.snapshots.mounts(live.record.snapshotKey, { volatile }), rootfs);
  }
  live.rootfsUsers += 1;
  return rootfs;
}

/** One user less; the last one takes the mount down. Never throws: a mount left over is found by the next daemon start. */
export async function releaseRootfs(room: Room, live: LiveContainer): Promise<void> {
  live.rootfsUsers -= 1;
  if (live.rootfsUsers > 0) return;
  live.rootfsUsers = 0;
  live.rootfsLeaving = unmountRootfs(room, live.id);
  await live.rootfsLeaving;
}

export async function unmountRootfs(room: Room, id: string): Promise<void> {
  const { rootfs } = pathsOf(room, id);
  try {
    await unmountAside(rootfs);
  } catch (error) {
    if (hasErrno(error, 'EINVAL', 'ENOENT')) return;
    room.log.warn({ container: id, err: messageOf(error) }, 'a root filesystem could not be unmounted');
  }
}
