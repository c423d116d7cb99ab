import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fchownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { hasErrno } from '@wharf/kit';
import { type FileStatus, fstatNs, lstatNs, lutimesNs, mknod, O, openat2, RESOLVE, S } from '@wharf/linux/fsx';
import { lgetxattr, llistxattr, lsetxattr } from '@wharf/linux/xattr';

const AT_FDCWD = -100;
const directoryFlags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW;
const beneath = RESOLVE.BENEATH | RESOLVE.NO_SYMLINKS | RESOLVE.NO_MAGICLINKS;

/** Opens the directory `path` as a process whose root is `root` would see it; `undefined` when there is none. */
export function openInRoot(root: string, path: string): number | undefined {
  const rootFd = openDirectory(root);
  try {
    return openat2(rootFd, path, { flags: O.RDONLY | O.DIRECTORY, resolve: RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS });
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  } finally {
    closeSync(rootFd);
  }
}

/** Opens a directory of the host's; a last symlink is refused. The descriptor is the caller's. */
export function openDirectory(path: string): number {
  return openat2(AT_FDCWD, path, { flags: directoryFlags, resolve: 0 });
}

/** True when the open directory holds nothing. */
export function isEmptyDirectory(fd: number): boolean {
  return readdirSync(viaFd(fd)).every((name) => name === 'lost+found');
}

interface Copy {
  readonly targetRoot: number;
  /** Files with several names, by inode, with the path of the first copy below `targetRoot`. */
  readonly links: Map<string, readonly Buffer[]>;
}

interface Place {
  readonly sourceFd: number;
  readonly targetFd: number;
  /** The names that lead from the root of the copy to here. */
  readonly trail: readonly Buffer[];
}

/**
 * Copies the content of one open directory into another with owner, mode, times, xattrs, hard links and devices; sockets
 * are left out. Synchronous: call it in a worker.
 *
 * Safe against whoever else writes into the target: every directory is entered through a descriptor that no symlink took
 * part in, and every name is made exclusively, so a planted entry ends the copy with EEXIST.
 */
export function copyTree(sourceFd: number, targetFd: number): void {
  copyContent({ targetRoot: targetFd, links: new Map() }, { sourceFd, targetFd, trail: [] });
}

function copyContent(copy: Copy, place: Place): void {
  const { sourceFd, targetFd } = place;
  for (const name of readdirSync(viaFd(sourceFd), { encoding: 'buffer' })) {
    const status = lstatNs(under(sourceFd, name));
    if ((status.mode & S.IFMT) === S.IFDIR) copyDirectory(copy, place, name);
    else copyFile(copy, place, { name, status });
  }
  copyDirectoryStatus(sourceFd, targetFd);
}

function copyDirectory(copy: Copy, place: Place, name: Buffer): void {
  mkdirSync(under(place.targetFd, name), { mode: 0o700 });
  using open = new DisposableStack();
  const enter = (fd: number) =>
    open.adopt(openat2(fd, name, { flags: directoryFlags, resolve: beneath }), (opened) => closeSync(opened));
  const sourceFd = enter(place.sourceFd);
  const targetFd = enter(place.targetFd);
  copyContent(copy, { sourceFd, targetFd, trail: [...place.trail, name] });
}

function copyDirectoryStatus(sourceFd: number, targetFd: number): void {
  const status = fstatNs(sourceFd);
  // A trailing "/." leads past the magic link to the directory itself.
  const target = Buffer.from(`${viaFd(targetFd)}/.`);
  fchownSync(targetFd, status.uid, status.gid);
  copyXattrs(Buffer.from(`${viaFd(sourceFd)}/.`), target);
  fchmodSync(targetFd, status.mode & 0o7777);
  lutimesNs(target, status);
}

function copyFile(copy: Copy, place: Place, file: { readonly name: Buffer; readonly status: FileStatus }): void {
  const { name, status } = file;
  const source = under(place.sourceFd, name);
  const target = under(place.targetFd, name);
  const type = status.mode & S.IFMT;
  if (type === S.IFSOCK) return;
  if (status.nlink > 1) {
    const inode = `${status.dev}:${status.ino}`;
    const first = copy.links.get(inode);
    if (first !== undefined) {
      linkFrom(copy.targetRoot, first, target);
      return;
    }
    copy.links.set(inode, [...place.trail, name]);
  }
  if (type === S.IFREG) copyFileSync(source, target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
  else if (type === S.IFLNK) symlinkSync(readlinkSync(source, { encoding: 'buffer' }), target);
  else mknod(target, type | 0o600, status.rdevMajor, status.rdevMinor);
  copyFileStatus(source, target, status);
}

function copyFileStatus(source: Buffer, target: Buffer, status: FileStatus): void {
  // Owner first: a change of owner clears set-id bits and file capabilities.
  lchownSync(target, status.uid, status.gid);
  copyXattrs(source, target);
  if ((status.mode & S.IFMT) !== S.IFLNK) changeMode(target, status.mode & 0o7777);
  lutimesNs(target, status);
}

/** chmod(2) follows symlinks; through a descriptor of the file itself it cannot be led elsewhere. */
function changeMode(path: Buffer, mode: number): void {
  const fd = openat2(AT_FDCWD, path, { flags: O.PATH | O.NOFOLLOW, resolve: 0 });
  try {
    chmodSync(viaFd(fd), mode);
  } finally {
    closeSync(fd);
  }
}

function linkFrom(root: number, path: readonly Buffer[], target: Buffer): void {
  const name = path.at(-1) ?? Buffer.alloc(0);
  const parent = Buffer.concat([Buffer.from('.'), ...path.slice(0, -1).flatMap((part) => [Buffer.from('/'), part])]);
  const fd = openat2(root, parent, { flags: directoryFlags, resolve: beneath });
  try {
    // link(2) does not follow a last symlink.
    linkSync(under(fd, name), target);
  } finally {
    closeSync(fd);
  }
}

function copyXattrs(source: Buffer, target: Buffer): void {
  for (const name of llistxattr(source)) {
    const value = lgetxattr(source, name);
    if (value === undefined) continue;
    try {
      lsetxattr(target, name, value);
    } catch (error) {
      // The volume may lie on a filesystem without this kind of attribute.
      if (!hasErrno(error, 'EOPNOTSUPP', 'ENOTSUP', 'EPERM')) throw error;
    }
  }
}

function viaFd(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

function under(fd: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${viaFd(fd)}/`), name]);
}
