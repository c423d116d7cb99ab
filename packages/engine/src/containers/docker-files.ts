import { closeSync, mkdirSync, openSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '@wharf/kit';
import { AT_FDCWD } from '@wharf/linux/constants';
import { O, openat2, RESOLVE } from '@wharf/linux/fsx';

/**
 * Makes in a container's root what programs look for to learn where they are: `/.dockerenv` (that this is a container) and `/etc/mtab`
 * (what is mounted). What the image has there stays. An image's `/etc` may be a symlink: it is followed inside of the root only.
 */
export function placeDockerFiles(rootfs: string): void {
  unlessThere(() => closeSync(openSync(join(rootfs, '.dockerenv'), 'wx', 0o755)));
  unlessThere(() => mkdirSync(join(rootfs, 'etc'), { mode: 0o755 }));
  unlessThere(() => {
    const root = openat2(AT_FDCWD, rootfs, { flags: O.PATH | O.DIRECTORY, resolve: 0 });
    try {
      const etc = openat2(root, 'etc', {
        flags: O.PATH | O.DIRECTORY,
        resolve: RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS,
      });
      try {
        symlinkSync('/proc/mounts', `/proc/self/fd/${etc}/mtab`);
      } finally {
        closeSync(etc);
      }
    } finally {
      closeSync(root);
    }
  });
}

/** An image that has it, or something that leaves no room for it, is left as it is. */
function unlessThere(make: () => void): void {
  try {
    make();
  } catch (error) {
    if (!hasErrno(error, 'EEXIST', 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
  }
}
