import { closeSync, existsSync, mkdirSync, readdirSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';
import { O, openat2, RESOLVE } from '@wharf/linux/fsx';
import { bindMount, isMountPoint, unmount } from '@wharf/linux/mount';
import { cannotAccessPath, subpathEscapes } from '@wharf/wire/docker/messages';
import { openDirectory } from './copy-tree.ts';

/**
 * Places of containers' own for what is mounted into them: images, and directories and files inside of volumes and images.
 * A volume's content may change under us, so a path is resolved once, inside the volume, and what was found is pinned by a
 * mount: the runtime never walks the path again.
 */
export class Subpaths {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
  }

  /** A place of that name, for a container's own mount. */
  place(containerId: string, name: string): string {
    return join(this.#root, containerId, name);
  }

  /**
   * Pins `subpath` of the volume at `dataPath` for a container; returns where. Throws `not-found` when it is missing,
   * `invalid-argument` when a symlink or `..` leads out: an absolute one always does.
   */
  pin(containerId: string, dataPath: string, subpath: string): string {
    const place = join(this.#root, containerId);
    mkdirSync(place, { recursive: true, mode: 0o700 });
    const volume = openDirectory(dataPath);
    try {
      const fd = openat2(volume, subpath, { flags: O.PATH, resolve: RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS });
      try {
        const target = join(place, String(readdirSync(place).length));
        if (statSync(`/proc/self/fd/${fd}`).isDirectory()) mkdirSync(target, { mode: 0o700 });
        else writeFileSync(target, '', { flag: 'wx' });
        bindMount(`/proc/self/fd/${fd}`, target, { recursive: true });
        return target;
      } finally {
        closeSync(fd);
      }
    } catch (cause) {
      if (hasErrno(cause, 'EXDEV'))
        throw new WharfError('invalid-argument', subpathEscapes(dataPath, subpath), { cause });
      if (!hasErrno(cause, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw cause;
      throw new WharfError('not-found', cannotAccessPath(join(dataPath, subpath)), { cause });
    } finally {
      closeSync(volume);
    }
  }

  /** Takes a container's pins away. Idempotent. */
  release(containerId: string): void {
    const place = join(this.#root, containerId);
    if (!existsSync(place)) return;
    for (const name of readdirSync(place)) {
      const target = join(place, name);
      if (isMountPoint(target)) unmount(target, { detach: true });
      // Never recursive: were the mount still there, this would be the volume's content.
      if (statSync(target).isDirectory()) rmdirSync(target);
      else rmSync(target);
    }
    rmdirSync(place);
  }

  /** Containers that have pins. */
  holders(): readonly string[] {
    return existsSync(this.#root) ? readdirSync(this.#root) : [];
  }
}
