import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { CLONE, O } from './constants.ts';
import { bind, check, type PathArg, pathArg } from './ffi.ts';
import { bindMount, isMountPoint, unmount } from './mount.ts';

export { CLONE } from './constants.ts';

const cUnshare = bind<(flags: number) => number>('unshare', 'int', ['int']);
const cSetns = bind<(fd: number, type: number) => number>('setns', 'int', ['int', 'int']);
const cPivotRoot = bind<(newRoot: PathArg, oldRoot: PathArg) => number>('pivot_root', 'int', ['str', 'str']);
const cChroot = bind<(path: PathArg) => number>('chroot', 'int', ['str']);

/** unshare(2) for the calling thread. */
export function unshare(flags: number): void {
  check(cUnshare(flags), 'unshare');
}

/**
 * setns(2) for the calling thread. libuv's pool threads do not follow: only synchronous calls see the namespace.
 * `CLONE.NEWNS` needs `unshare(CLONE.FS)` on this thread first.
 */
export function setns(fd: number, type: number): void {
  check(cSetns(fd, type), 'setns');
}

/** chroot(2). On a worker that has done `unshare(CLONE.FS)` it binds that thread's synchronous calls only. */
export function chroot(path: PathArg): void {
  check(cChroot(pathArg(path)), 'chroot', path);
}

/**
 * pivot_root(2): makes the mount at `newRoot` the root of this mount namespace and lets go of the old one with all that is
 * mounted in it. For a thread in a mount namespace of its own (`unshare(CLONE.FS | CLONE.NEWNS)`), with propagation to
 * others turned off.
 */
export function pivotRoot(newRoot: PathArg): void {
  // With the same directory twice the old root comes to lie on top of the new one, where it can be unmounted.
  check(cPivotRoot(pathArg(newRoot), pathArg(newRoot)), 'pivot_root', newRoot);
  unmount('/', { detach: true });
}

const netnsOf = (): number => openSync('/proc/thread-self/ns/net', O.RDONLY | O.CLOEXEC);

/**
 * Runs `work` in another network namespace and comes back. It must be synchronous: the namespace belongs to the thread,
 * so anything after an `await` would run there too, and so would everybody else's code.
 * If coming back should fail, the process cannot go on in its right mind and is ended.
 */
export function inNetns<T>(target: string | number, work: () => T): T {
  const home = netnsOf();
  const fd = typeof target === 'number' ? target : openSync(target, O.RDONLY | O.CLOEXEC);
  try {
    setns(fd, CLONE.NEWNET);
    try {
      return work();
    } finally {
      comeHome(home);
    }
  } finally {
    if (typeof target !== 'number') closeSync(fd);
    closeSync(home);
  }
}

function comeHome(home: number): void {
  try {
    setns(home, CLONE.NEWNET);
  } catch (error) {
    writeSync(2, `Cannot return to the own network namespace: ${String(error)}\n`);
    process.abort();
  }
}

/**
 * Makes a network namespace and pins it at `path` by a bind mount, so that it lives without a process in it. `inside`
 * runs in it first, sparing a second switch. Throws EEXIST when something is at `path`; undoes all when it fails.
 */
export function createPinnedNetns<T = void>(path: string, inside?: () => T): T | undefined {
  makePlace(path);
  const home = netnsOf();
  try {
    unshare(CLONE.NEWNET);
    try {
      bindMount('/proc/thread-self/ns/net', path);
      return inside?.();
    } finally {
      comeHome(home);
    }
  } catch (error) {
    removePinnedNetns(path);
    throw error;
  } finally {
    closeSync(home);
  }
}

function makePlace(path: string): void {
  const options = { flag: 'wx', mode: 0o444 };
  try {
    writeFileSync(path, '', options);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
    writeFileSync(path, '', options);
  }
}

/** Pins a process's network namespace at `path`, unless one is pinned there. Throws ENOENT when the process is gone. */
export function pinNetnsOf(pid: number, path: string): void {
  if (isMountPoint(path)) return;
  mkdirSync(dirname(path), { recursive: true, mode: 0o711 });
  writeFileSync(path, '', { mode: 0o444 });
  try {
    bindMount(`/proc/${pid}/ns/net`, path);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Unpins a namespace: the kernel frees it with its links once no process is left in it. Idempotent. */
export function removePinnedNetns(path: string): void {
  try {
    unmount(path, { detach: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && (error.code === 'EINVAL' || error.code === 'ENOENT')))
      throw error;
  }
  rmSync(path, { force: true });
}
