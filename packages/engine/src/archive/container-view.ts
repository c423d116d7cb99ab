import { closeSync, mkdirSync, openSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import { AT_FDCWD, O, RESOLVE } from '@wharf/linux/constants';
import { openat2 } from '@wharf/linux/fsx';
import { bindMount, MS, mount, parseMountInfo, unmount } from '@wharf/linux/mount';
import { CLONE, setns, unshare } from '@wharf/linux/namespaces';
import type { IdMapping } from '@wharf/linux/user-namespace';
import { inMounts, inNamespaceOf } from '@wharf/oci/workers/root';

/** A bind mount to be seen in a stopped container. */
export interface ViewMount {
  readonly source: string;
  /** In the container. */
  readonly destination: string;
  readonly readOnly: boolean;
  readonly recursive: boolean;
}

/**
 * How to see a container's files: through the mount namespace of its process, with all that is mounted there, or for a
 * stopped one through its root filesystem and what would be mounted into it.
 */
export type ContainerView =
  /** `ids`: of the user namespace its files are mapped through. */
  | { readonly kind: 'running'; readonly pid: number; readonly ids?: IdMapping | undefined }
  | { readonly kind: 'stopped'; readonly rootfs: string; readonly mounts: readonly ViewMount[] };

/**
 * Runs `work` on this thread with the container's root as `/`, in a mount namespace of its own: no symlink can lead out, and
 * nothing mounted or unmounted here is seen by anyone else. Throws ESRCH or ENOENT when a running one has ended.
 */
export function inContainer<T>(view: ContainerView, work: () => Promise<T>): Promise<T> {
  if (view.kind === 'stopped') return inMounts(() => assemble(view.rootfs, view.mounts), work);
  return inNamespaceOf(() => enter(view.pid), work);
}

/** Any place on the host does to mount at, as only this thread sees it. */
const ASSEMBLY = '/sys';

/** Leaves this thread in a copy of the mount namespace of `pid`, without the filesystems whose links lead anywhere. */
function enter(pid: number): void {
  const hostProc = openat2(AT_FDCWD, '/proc', { flags: O.PATH | O.DIRECTORY, resolve: 0 });
  try {
    const own = readlinkSync('/proc/thread-self/ns/mnt');
    const path = `/proc/${pid}/ns/mnt`;
    const target = openSync(path, O.RDONLY);
    try {
      if (readlinkSync(path) === own) {
        throw new WharfError('internal', `Cannot look into process ${pid}: it is not in a mount namespace of its own`);
      }
      setns(target, CLONE.NEWNS);
    } finally {
      closeSync(target);
    }
    unshare(CLONE.NEWNS);
    mount({ source: 'none', target: '/', type: 'none', flags: MS.SLAVE | MS.REC });
    hideMagicLinks(hostProc);
  } finally {
    closeSync(hostProc);
  }
}

/**
 * Takes away every procfs: `/proc/1/root` of a container with the host's pid namespace is the host's root, and this thread
 * may follow such links where the container's processes may not.
 */
function hideMagicLinks(hostProc: number): void {
  const fd = openat2(hostProc, 'thread-self/mountinfo', { flags: O.RDONLY, resolve: 0 });
  let text: string;
  try {
    text = readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
  const hidden = parseMountInfo(text).filter(({ type }) => type === 'proc' || type === 'sysfs');
  // The latest first: one may lie on the other.
  for (const { mountPoint } of hidden.reverse()) {
    try {
      unmount(mountPoint, { detach: true });
    } catch (error) {
      // Gone together with the one it was in.
      if (!hasErrno(error, 'EINVAL', 'ENOENT')) throw error;
    }
  }
}

/** Puts a stopped container's root together and returns where. */
function assemble(rootfs: string, mounts: readonly ViewMount[]): string {
  bindMount(rootfs, ASSEMBLY);
  const root = openat2(AT_FDCWD, ASSEMBLY, { flags: O.PATH | O.DIRECTORY, resolve: 0 });
  try {
    for (const { source, destination, readOnly, recursive } of mounts) {
      const at = placeFor(root, destination, statSync(source).isDirectory());
      if (at !== undefined) bindMount(source, at, { readOnly, recursive });
    }
  } finally {
    closeSync(root);
  }
  return ASSEMBLY;
}

/** The host path of a mount point in the container, made when it is missing; undefined where it cannot be. */
function placeFor(root: number, destination: string, isDirectory: boolean): string | undefined {
  const parts = destination.split('/').filter((part) => part !== '' && part !== '.');
  for (let count = 1; count <= parts.length; count++) {
    const path = parts.slice(0, count).join('/');
    if (pathInRoot(root, path) !== undefined) continue;
    const parent = pathInRoot(root, parts.slice(0, count - 1).join('/') || '.');
    const name = parts[count - 1] ?? '';
    if (parent === undefined || name === '..') return undefined;
    try {
      if (count < parts.length || isDirectory) mkdirSync(`${parent}/${name}`, { mode: 0o755 });
      else writeFileSync(`${parent}/${name}`, '', { flag: 'wx' });
    } catch (error) {
      if (hasErrno(error, 'EEXIST', 'EROFS', 'ENOTDIR')) return undefined;
      throw error;
    }
  }
  return pathInRoot(root, parts.join('/') || '.');
}

/** Where a path of the container lies on the host, every symlink resolved within the container. */
function pathInRoot(root: number, path: string): string | undefined {
  try {
    const fd = openat2(root, path, { flags: O.PATH, resolve: RESOLVE.IN_ROOT | RESOLVE.NO_MAGICLINKS });
    try {
      return readlinkSync(`/proc/thread-self/fd/${fd}`);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return undefined;
    throw error;
  }
}
