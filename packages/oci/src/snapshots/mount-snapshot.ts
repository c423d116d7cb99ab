import { closeSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { attachMount, bindMountWith, cloneMount, setMountAttributes } from '@wharf/linux/detached-mounts';
import { bindMount, mountOverlay, unmount } from '@wharf/linux/mount';
import type { Mount } from './snapshotter.ts';

/** Performs what `Snapshotter.mounts` says, at an existing directory. Throws `SystemError`. */
export function mountSnapshot(mounts: readonly Mount[], target: string): void {
  for (const { type, source, options, overlay } of mounts) {
    const readOnly = options.includes('ro');
    if (type === 'bind' || !overlay) {
      bindMount(source, target, { readOnly });
      continue;
    }
    // A volatile mount leaves a mark that forbids the next one, for whoever minds lost writes (filesystems/overlayfs,
    // "Volatile mount"). Such a snapshot is one that nobody keeps.
    if (overlay.workDir !== undefined)
      rmSync(join(overlay.workDir, 'work', 'incompat'), { recursive: true, force: true });
    const extraOptions = options.filter((option) => option !== 'ro' && option !== 'rw');
    mountOverlay({ ...overlay, target, readOnly, extraOptions });
  }
}

/**
 * As `mountSnapshot`, with the owners of files seen through a user namespace (`openUserNamespace`), so that root in it owns what
 * root owns on disk and what it writes lies there as root's. `scratch` is an existing empty directory, empty again afterwards.
 * Throws `SystemError`: EINVAL where the file system has no idmapped mounts, or overlayfs none of them below it (Linux 5.19).
 */
export function mountMappedSnapshot(
  mounts: readonly Mount[],
  options: { readonly target: string; readonly userNamespace: number; readonly scratch: string },
): void {
  const { target, userNamespace, scratch } = options;
  for (const mount of mounts) {
    const { overlay } = mount;
    if (mount.type === 'bind' || !overlay) {
      bindMountWith({ path: mount.source }, { path: target }, { userNamespace, recursive: false });
      continue;
    }
    // Overlayfs wants its upper and its work directory on one mount: all snapshots are mapped at once, at their root.
    const root = dirname(dirname(overlay.upperDir ?? overlay.lowerDirs[0] ?? ''));
    const at = (path: string): string => join(scratch, relative(root, path));
    const fd = cloneMount({ path: root });
    try {
      setMountAttributes({ directory: fd, path: '' }, { userNamespace });
      attachMount(fd, { path: scratch });
    } finally {
      closeSync(fd);
    }
    try {
      const { upperDir, workDir, lowerDirs } = overlay;
      const below = {
        lowerDirs: lowerDirs.map(at),
        ...(upperDir === undefined ? {} : { upperDir: at(upperDir) }),
        ...(workDir === undefined ? {} : { workDir: at(workDir) }),
      };
      mkdirSync(target, { recursive: true });
      mountSnapshot([{ ...mount, overlay: below }], target);
    } finally {
      // Overlayfs keeps its own hold of it.
      unmount(scratch, { detach: true });
    }
  }
}
