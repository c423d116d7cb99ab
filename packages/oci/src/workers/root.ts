import { openSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { MS, mount } from '@wharf/linux/mount';
import { CLONE, chroot, pivotRoot, setns, unshare } from '@wharf/linux/namespaces';

/**
 * Gives a worker thread a root directory of its own, so that no path, symlink or hard link in what it handles can lead
 * out of it: the kernel resolves every name inside.
 *
 * Invariants:
 * - only synchronous calls of this thread are bound; libuv's pool (asynchronous fs, zlib, crypto) is not, since its
 *   threads were started by the main thread, before any worker (see `WorkerPool`);
 * - one root at a time per thread; jobs run one at a time per thread;
 * - a thread that cannot come back is lost and must be ended (`isLost`).
 */
let home: number | undefined;
let lost = false;

/** Makes this thread's view of the file system its own. Idempotent. */
export function isolate(): number {
  if (home !== undefined) return home;
  if (isMainThread) throw new Error('Cannot change the root of the main thread');
  const fd = openSync('/proc/thread-self/ns/mnt', 'r');
  unshare(CLONE.FS);
  home = fd;
  return fd;
}

/** Runs `work` with `directory` as `/`. */
export async function inRoot<T>(directory: string, work: () => Promise<T>): Promise<T> {
  const fd = isolate();
  chroot(directory);
  try {
    return await work();
  } finally {
    goHome(fd);
  }
}

/**
 * Runs `work` in a mount namespace of this thread's own, with the mount that `prepare` makes and names as its root: nothing
 * of the host's file systems can be reached, and every mount is gone afterwards, however this ends.
 */
export async function inMounts<T>(prepare: () => string, work: () => Promise<T>): Promise<T> {
  const fd = isolate();
  unshare(CLONE.NEWNS);
  try {
    // Mounts made here must not show outside; what is unmounted outside should go here too.
    mount({ source: 'none', target: '/', type: 'none', flags: MS.SLAVE | MS.REC });
    pivotRoot(prepare());
    return await work();
  } finally {
    goHome(fd);
  }
}

/**
 * Runs `work` in the mount namespace and root that `enter` leaves this thread in. Nothing but synchronous calls of this
 * thread is there.
 */
export async function inNamespaceOf<T>(enter: () => void, work: () => Promise<T>): Promise<T> {
  const fd = isolate();
  try {
    enter();
    return await work();
  } finally {
    goHome(fd);
  }
}

/** Back to the mount namespace and the root the thread came from: entering a mount namespace resets root and directory. */
function goHome(fd: number): void {
  try {
    setns(fd, CLONE.NEWNS);
  } catch (error) {
    lost = true;
    throw error;
  }
}

/** True when this thread could not leave a root again. */
export function isLost(): boolean {
  return lost;
}
