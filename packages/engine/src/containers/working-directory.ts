import { closeSync, mkdirSync, openSync } from 'node:fs';
import { hasErrno } from '@wharf/kit';
import { O, RESOLVE } from '@wharf/linux/constants';
import { openat2 } from '@wharf/linux/fsx';

/**
 * Makes the working directory of a container that has not been started, as dockerd does at create: what is copied into a
 * container before its start may go there. No link leads out of `rootfs`. Something else in its place stays: the start will tell.
 */
export function makeWorkingDirectory(rootfs: string, directory: string): void {
  const root = openSync(rootfs, O.PATH | O.DIRECTORY);
  try {
    let parent = '.';
    for (const name of directory.split('/').filter((part) => part !== '' && part !== '.')) {
      if (!makeIn(root, parent, name)) return;
      parent = `${parent}/${name}`;
    }
  } finally {
    closeSync(root);
  }
}

/** False where `parent` is no directory. */
function makeIn(root: number, parent: string, name: string): boolean {
  let fd: number;
  try {
    fd = openat2(root, parent, {
      flags: O.PATH | O.DIRECTORY,
      resolve: RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS,
    });
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return false;
    throw error;
  }
  try {
    mkdirSync(`/proc/self/fd/${fd}/${name}`, { mode: 0o755 });
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error;
  } finally {
    closeSync(fd);
  }
  return true;
}
