import {
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';
import { bindMountWith } from '@wharf/linux/detached-mounts';
import { O, openat2, RESOLVE } from '@wharf/linux/fsx';
import { bindMount, isMountPoint, unmount } from '@wharf/linux/mount';
import type { IdMapping } from '@wharf/linux/user-namespace';
import { cannotAccessPath, subpathEscapes } from '@wharf/wire/docker/messages';
import { openDirectory } from './copy-tree.ts';
import { withUserNamespace } from './id-mapping.ts';

/** How a pinned tree is shown. */
export interface PinOptions {
  /** With the mounts below; the default. */
  readonly recursive?: boolean | undefined;
  readonly idMapping?: IdMapping | undefined;
}

/**
 * Places of containers' own for what is mounted into them: images, directories and files inside of volumes and images, and
 * whatever shows its files under other owners. A volume's content may change under us, so a path is resolved once, inside
 * the volume, and what was found is pinned by a mount: the runtime never walks the path again.
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
  pin(containerId: string, dataPath: string, subpath: string, options: PinOptions = {}): string {
    const volume = openDirectory(dataPath);
    try {
      const fd = openat2(volume, subpath, { flags: O.PATH, resolve: RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS });
      try {
        return this.pinOpen(containerId, { fd, path: join(dataPath, subpath) }, options);
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

  /** Pins what a descriptor stands for. Throws `failed-precondition` when its filesystem cannot show other owners. */
  pinOpen(
    containerId: string,
    source: { readonly fd: number; readonly path: string },
    { recursive = true, idMapping }: PinOptions = {},
  ): string {
    const place = join(this.#root, containerId);
    mkdirSync(place, { recursive: true, mode: 0o700 });
    const target = join(place, String(readdirSync(place).length));
    if (fstatSync(source.fd).isDirectory()) mkdirSync(target, { mode: 0o700 });
    else writeFileSync(target, '', { flag: 'wx' });
    if (idMapping === undefined) {
      bindMount(`/proc/self/fd/${source.fd}`, target, { recursive });
      return target;
    }
    try {
      withUserNamespace(idMapping, (userNamespace) =>
        bindMountWith({ directory: source.fd, path: '' }, { path: target }, { userNamespace, recursive }),
      );
      return target;
    } catch (cause) {
      if (!hasErrno(cause, 'EINVAL', 'ENOSYS', 'EPERM')) throw cause;
      const what = `Cannot map the owners of files in "${source.path}"`;
      const why = 'its filesystem, or one mounted below it, does not support mounts with mapped ids';
      throw new WharfError('failed-precondition', `${what}: ${why}`, { cause });
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
