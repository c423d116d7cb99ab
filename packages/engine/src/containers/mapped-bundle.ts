import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { bindMountWith } from '@wharf/linux/detached-mounts';
import { asFileOwner } from '@wharf/linux/file-identity';
import { isMountPoint, unmount } from '@wharf/linux/mount';
import { type IdMapping, openUserNamespace, outsideId } from '@wharf/linux/user-namespace';
import { mountMappedSnapshot } from '@wharf/oci/snapshots/mount-snapshot';
import type { Spec, SpecMount } from '../runtime/oci-spec/spec.ts';
import type { ContainerRecord } from './container.ts';
import type { LiveContainer } from './live.ts';
import { pathsOf, type Room } from './room.ts';

const ROOT = 'rootfs';
const SCRATCH = 'layers';
const NULL_DEVICE = '/dev/null';

/**
 * Where the mapped mounts of all containers are for the moment they are needed. Not in the bundles, which are removed with all
 * that is in them: a daemon that was killed leaves users' own files mounted here, and in `layers` those of every image.
 */
const homeOf = (room: Room): string => join(room.config.execRoot, 'mapped');

/**
 * Makes the files of a container with a user namespace of its own its own: root filesystem and bind mounts are mounted
 * once more with their owners mapped, and the specification returned names those. On disk nothing is different from any other
 * container's files. To be taken down (`dispose`) as soon as the runtime has made its copies of the mounts, so that nothing is left
 * to clean up when the container ends.
 */
export function mapBundle(room: Room, live: LiveContainer, spec: Spec): Spec & Disposable {
  const mapping = live.record.userNamespace;
  if (mapping === undefined) return { ...spec, [Symbol.dispose]: () => {} };
  const { bundle } = pathsOf(room, live.id);
  const home = join(homeOf(room), live.id);
  const dispose = () => takeDown(room, home);
  dispose();
  mkdirSync(home, { recursive: true, mode: 0o711 });
  chmodSync(homeOf(room), 0o711);
  for (const path of [bundle, home]) letIn(path, mapping);
  const fd = openUserNamespace(mapping);
  try {
    const root = { uid: outsideId(mapping.uids, 0), gid: outsideId(mapping.gids, 0) };
    // Overlayfs does everything above the layers as whoever mounted it, who has to have an id there.
    asFileOwner(root, () => mountRoot(room, live, fd, home));
    const mounts = spec.mounts.map((mount, at) =>
      mount.type === 'bind' ? mapSource(room, mount, fd, join(home, String(at))) : mount,
    );
    // Relative: the container's root may not be allowed to search all that is above the exec root.
    return {
      ...spec,
      root: { ...spec.root, path: relative(bundle, join(home, ROOT)) },
      mounts,
      [Symbol.dispose]: dispose,
    };
  } catch (error) {
    dispose();
    throw error;
  } finally {
    closeSync(fd);
  }
}

/** The runtime looks at these as the container's root; nobody else of the host's users may. */
function letIn(path: string, { gids }: IdMapping): void {
  chownSync(path, 0, outsideId(gids, 0));
  chmodSync(path, 0o710);
}

function mountRoot(room: Room, live: LiveContainer, userNamespace: number, home: string): void {
  const [target, scratch] = [join(home, ROOT), join(home, SCRATCH)];
  for (const path of [target, scratch]) mkdirSync(path, { mode: 0o711 });
  const volatile = live.record.hostConfig.AutoRemove === true;
  try {
    mountMappedSnapshot(room.snapshots.mounts(live.record.snapshotKey, { volatile }), {
      target,
      scratch,
      userNamespace,
    });
  } catch (error) {
    if (!hasErrno(error, 'EINVAL', 'ENOSYS', 'EPERM')) throw error;
    throw new WharfError(
      'failed-precondition',
      `Cannot give container "${live.record.name}" a user namespace: its files cannot be mapped: ${messageOf(error)}`,
      {
        hint: 'This needs Linux 5.19 and a file system with idmapped mounts; --userns=host does without',
        cause: error,
      },
    );
  }
}

/** A source that cannot be mapped (some network file systems) is mounted as it is: files are shown as nobody's. */
function mapSource(room: Room, mount: SpecMount, userNamespace: number, target: string): SpecMount {
  const recursive = mount.options.includes('rbind');
  if (statSync(mount.source).isDirectory()) mkdirSync(target, { mode: 0o711 });
  else writeFileSync(target, '', { mode: 0o600 });
  try {
    bindMountWith({ path: mount.source }, { path: target }, { userNamespace, recursive });
  } catch (error) {
    if (!hasErrno(error, 'EINVAL', 'EPERM')) throw error;
    room.log.warn({ source: mount.source, err: messageOf(error) }, 'owners of a mount cannot be mapped');
    return mount;
  }
  return { ...mount, source: target };
}

/** Lets a process that is held open its stdio anew (`/dev/stdout`): the pipes were made by the monitor, as the host's root. */
export function giveStdio({ userNamespace }: ContainerRecord, pid: number): void {
  if (userNamespace === undefined) return;
  for (const fd of [0, 1, 2]) {
    const path = `/proc/${pid}/fd/${fd}`;
    if (statSync(path).isFIFO()) chownSync(path, outsideId(userNamespace.uids, 0), outsideId(userNamespace.gids, 0));
  }
  // crun before 1.9 gave away what it itself was started with, which under a terminal is the host's: nobody in the container has it open.
  if (statSync(NULL_DEVICE).uid !== 0) chownSync(NULL_DEVICE, 0, 0);
}

/** What a daemon that was killed has left. Never throws. */
export function clearMappedBundles(room: Room): void {
  const home = homeOf(room);
  for (const id of existsSync(home) ? readdirSync(home) : []) takeDown(room, join(home, id));
}

/** One name at a time, nothing recursive: what is still mounted is busy and stays, with all that is in it. Never throws. */
function takeDown(room: Room, home: string): void {
  try {
    if (!existsSync(home)) return;
    for (const name of readdirSync(home)) {
      const path = join(home, name);
      if (isMountPoint(path)) unmount(path, { detach: true });
      if (lstatSync(path).isDirectory()) rmdirSync(path);
      else unlinkSync(path);
    }
    rmdirSync(home);
  } catch (error) {
    room.log.warn({ path: home, err: messageOf(error) }, 'mapped mounts could not be taken down');
  }
}
