import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, WharfError } from '@wharf/kit';
import { isMountPoint } from '@wharf/linux/mount';
import { DEFAULT_LINK_NAME } from '@wharf/wire/docker/messages';
import type { RemoveOptions } from './container-service.ts';
import type { ExitFollowUps } from './exit.ts';
import { killAndWait } from './kill.ts';
import { START_GRACE_MS } from './limits.ts';
import type { LiveContainer } from './live.ts';
import { inBackground, locked, pathsOf, publish, type Room } from './room.ts';
import { unmountRootfs } from './rootfs.ts';

/** `docker rm`. `name` is what the user called it. */
export async function removeContainer(
  room: Room,
  live: LiveContainer,
  options: RemoveOptions & { readonly name: string },
  then: ExitFollowUps,
): Promise<void> {
  if (options.link) return removeLink(room, options.name);
  if (live.removing) {
    throw new WharfError('conflict', `removal of container ${options.name} is already in progress`);
  }
  live.removing = true;
  const hurry = options.force ? setTimeout(() => cutStart(live), START_GRACE_MS) : undefined;
  try {
    // A start that was under way when we looked has made it run by the time the lock is ours.
    let forgotten = false;
    while (!forgotten) {
      await endFirst(room, live, options, then);
      forgotten = await locked(room, live, async () => {
        if (live.isRunning) return false;
        await forget(room, live, options.removeVolumes);
        return true;
      });
    }
    // What was said to be gone must not come back. One made with `--rm` would be removed again by itself.
    if (live.record.hostConfig.AutoRemove !== true) await room.store.committed();
  } catch (error) {
    live.waiters.removed({ exitCode: live.record.state.exitCode, error: messageOf(error) });
    throw error;
  } finally {
    clearTimeout(hurry);
    live.removing = false;
  }
}

/** A runtime that hangs must not keep the container from being removed. */
function cutStart(live: LiveContainer): void {
  live.starting?.abort(new WharfError('conflict', `container ${live.id} is being removed`));
}

/** Takes a `linking/alias` away: the containers stay. */
async function removeLink(room: Room, name: string): Promise<void> {
  const [parent = '', alias] = name.replace(/^\//, '').split(/\/+(.*)/s, 2);
  if (alias === undefined) throw new WharfError('internal', DEFAULT_LINK_NAME);
  const live = room.registry.get(parent);
  await locked(room, live, async () => {
    const links = (live.record.links ?? []).filter((link) => link.alias !== alias);
    room.registry.save(live, { ...live.record, links });
    await room.networks.refreshFiles(live.record);
    await room.store.committed();
  });
}

async function endFirst(
  room: Room,
  live: LiveContainer,
  options: RemoveOptions & { readonly name: string },
  then: ExitFollowUps,
): Promise<void> {
  if (!live.isRunning) return;
  const { status } = live.record.state;
  const refuse = (reason: string) => new WharfError('conflict', `cannot remove container "${options.name}": ${reason}`);
  if (!options.force) {
    throw refuse(
      status === 'paused'
        ? 'container is paused and must be unpaused first'
        : `container is ${status}: stop the container before removing or force remove`,
    );
  }
  try {
    await killAndWait(room, live, then);
  } catch (error) {
    throw new WharfError(
      'internal',
      `cannot remove container "${options.name}": could not kill container: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

/**
 * Takes the container out of all books: when this resolves its name, addresses and volumes are free. Its files go in the
 * background; what a crash leaves of them belongs to no record and is removed by the next daemon start.
 */
export async function forget(room: Room, live: LiveContainer, removeVolumes: boolean): Promise<void> {
  if (live.gone) return;
  live.pendingRestart?.abort();
  live.pendingRestart = undefined;
  room.registry.saveState(live, { status: 'removing' });
  await live.unmounted;
  const { record } = live;
  await room.networks.forget(record);
  await room.volumes.release(record, { removeAnonymous: removeVolumes });
  room.health.stop(live.id);
  room.execs().forget(live.id);
  const log = room.logs.open(record);
  live.streams.close();
  // The snapshot first: the image must be removable as soon as the container is gone.
  await unmountRootfs(room, live.id);
  await room.snapshots.remove(record.snapshotKey);
  room.registry.delete(live);
  publish(room, record, 'destroy');
  live.waiters.removed({ exitCode: record.state.exitCode });
  inBackground(
    room,
    `clearing the files of container ${live.id}`,
    (async () => {
      await live.cleared;
      await log.remove();
      const { data, bundle, rootfs, exitFile } = pathsOf(room, live.id);
      // Deleting through a mount that would not come down would delete what it shows.
      const paths =
        isMountPoint(rootfs) || isMountPoint(join(bundle, 'shm')) ? [data, exitFile] : [bundle, data, exitFile];
      for (const path of paths) await rm(path, { recursive: true, force: true });
    })(),
  );
}

/** Removes a container made with `--rm` after its end. */
export async function autoRemove(room: Room, live: LiveContainer, then: ExitFollowUps): Promise<void> {
  if (live.removing || live.gone) return;
  await removeContainer(room, live, { name: live.record.name, force: true, removeVolumes: true, link: false }, then);
}
