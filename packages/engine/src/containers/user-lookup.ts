import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { hasErrno } from '@wharf/kit';
import { O, RESOLVE } from '@wharf/linux/constants';
import { openat2 } from '@wharf/linux/fsx';
import { type ResolvedUser, resolveUser, type UserDatabase } from '../runtime/oci-spec/users.ts';
import { USER_FILE_LIMIT_BYTES } from './limits.ts';

/** Resolves a user against the files of a mounted root filesystem, none of whose links can lead out of it. */
export function userIn(rootfs: string, user: string, groupAdd: readonly string[] = []): ResolvedUser {
  // Numbers alone and no group to look up still need passwd for the home and the primary group.
  return resolveUser(user, readUserDatabase(rootfs), groupAdd);
}

function readUserDatabase(rootfs: string): UserDatabase {
  const root = openSync(rootfs, O.PATH | O.DIRECTORY);
  try {
    return { passwd: readInside(root, 'etc/passwd'), group: readInside(root, 'etc/group') };
  } finally {
    closeSync(root);
  }
}

function readInside(root: number, path: string): string | undefined {
  let fd: number;
  try {
    fd = openat2(root, path, { flags: O.RDONLY | O.NONBLOCK, resolve: RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS });
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENXIO', 'EACCES')) return undefined;
    throw error;
  }
  try {
    const status = fstatSync(fd);
    if (!status.isFile() || status.size > USER_FILE_LIMIT_BYTES) return undefined;
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}
