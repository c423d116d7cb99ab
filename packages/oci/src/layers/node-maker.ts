import { linkSync, lstatSync, mkdirSync, readlinkSync, rmSync, statSync, symlinkSync, unlinkSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import { lsetxattr, mknod, S } from '@wharf/linux/fsx';
import { type ByteString, fsPath, toText } from '../tar/bytes.ts';
import type { TarEntry } from '../tar/entry.ts';
import { MAX_SYMLINKS } from './limits.ts';
import { cleanName, parentOf } from './names.ts';
import { OPAQUE_XATTR } from './whiteout.ts';

export interface NodeMakerOptions {
  readonly base: ByteString;
  readonly whiteouts: 'none' | 'overlay' | 'remove';
  readonly parents: 'make' | 'refuse';
  readonly keepKinds?: boolean;
  /** Told of every directory that was taken away, by its clean name. */
  readonly removed: (name: ByteString) => void;
}

/** The code of the error for a layer that cannot be unpacked apart from those below it. */
export const NEEDS_PARENT = 'needs-parent';

/**
 * Makes directory entries: optimistically, looking at what is there only when the kernel says that something is. So the
 * usual entry costs one system call, and nothing is ever opened that was there before.
 */
export class NodeMaker {
  readonly #options: NodeMakerOptions;

  constructor(options: NodeMakerOptions) {
    this.#options = options;
  }

  path(name: ByteString): string | Buffer {
    return fsPath(`${this.#options.base}/${name}`);
  }

  /** Calls `create`, which must fail with EEXIST if anything is there, after making way for it. */
  make<T>(name: ByteString, entry: TarEntry, create: (path: string | Buffer) => T): T {
    const path = this.path(name);
    try {
      return create(path);
    } catch (error) {
      if (hasErrno(error, 'EEXIST')) this.#makeWay(name, entry);
      else if (hasErrno(error, 'ENOENT')) this.#makeParents(name);
      else throw error;
    }
    return create(path);
  }

  /** Makes anything that is neither a regular file nor a hard link. Returns its path. */
  makeSpecial(name: ByteString, entry: TarEntry): string | Buffer {
    const path = this.path(name);
    switch (entry.type) {
      case 'directory':
        this.#makeDirectory(name, entry);
        break;
      case 'symlink':
        this.make(name, entry, (at) => symlinkSync(fsPath(entry.linkName), at));
        break;
      case 'char':
      case 'block': {
        const bits = entry.type === 'char' ? S.IFCHR : S.IFBLK;
        this.make(name, entry, (at) => mknod(at, bits | 0o600, entry.deviceMajor, entry.deviceMinor));
        break;
      }
      case 'fifo':
        this.make(name, entry, (at) => mknod(at, S.IFIFO | 0o600));
        break;
      default:
        throw new WharfError(
          'data-loss',
          `Cannot unpack ${JSON.stringify(toText(entry.name))}: unknown entry type ${JSON.stringify(entry.typeFlag)}`,
        );
    }
    return path;
  }

  /** A further name for a file that is there already. */
  link(name: ByteString, entry: TarEntry): void {
    const target = cleanName(entry.linkName);
    if (target === name) return;
    const from = this.path(target);
    try {
      lstatSync(from);
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR') && this.#options.parents === 'refuse') throw needsParent(name);
      throw error;
    }
    this.make(name, entry, (path) => linkSync(from, path));
  }

  /** Removes whatever is at `name`, directories with all they hold. Nothing there is fine. */
  remove(name: ByteString): void {
    const path = this.path(name);
    try {
      unlinkSync(path);
    } catch (error) {
      if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return;
      if (!hasErrno(error, 'EISDIR', 'EPERM')) throw error;
      rmSync(path, { recursive: true, force: true });
      this.#options.removed(name);
    }
  }

  /** Makes a directory hide what the layers below have there. */
  setOpaque(name: ByteString): void {
    lsetxattr(this.path(name), OPAQUE_XATTR, Buffer.from('y'));
  }

  /** The directories above `name`; see `parents` of the options. */
  #makeParents(name: ByteString): void {
    if (this.#options.parents === 'refuse') throw needsParent(name);
    this.#makeAll(parentOf(name), MAX_SYMLINKS);
  }

  #makeAll(name: ByteString, linksLeft: number): void {
    if (name === '') return;
    const path = this.path(name);
    try {
      mkdirSync(path, 0o755);
      return;
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) {
        this.#makeAll(parentOf(name), linksLeft);
        this.#makeAll(name, linksLeft);
        return;
      }
      if (!hasErrno(error, 'EEXIST')) throw error;
    }
    // There already: fine for a directory, and for a symlink once it leads to one.
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    if (!lstatSync(path).isSymbolicLink() || linksLeft === 0) {
      throw new WharfError('data-loss', `Cannot unpack below ${JSON.stringify(toText(name))}: it is not a directory`);
    }
    const target = readlinkSync(path, { encoding: 'latin1' });
    const resolved = target.startsWith('/') ? target : `${parentOf(name)}/${target}`;
    this.#makeAll(cleanName(resolved), linksLeft - 1);
  }

  #makeDirectory(name: ByteString, entry: TarEntry): void {
    if (name === '') return;
    const path = this.path(name);
    try {
      mkdirSync(path, 0o700);
      return;
    } catch (error) {
      if (hasErrno(error, 'ENOENT')) {
        this.#makeParents(name);
        mkdirSync(path, 0o700);
        return;
      }
      if (!hasErrno(error, 'EEXIST')) throw error;
    }
    if (lstatSync(path).isDirectory()) return;
    this.#makeWay(name, entry);
    mkdirSync(path, 0o700);
    // Something of this layer stood here, a whiteout or a file, and hid what is below: that must stay hidden.
    if (this.#options.whiteouts === 'overlay') this.setOpaque(name);
  }

  #makeWay(name: ByteString, entry: TarEntry): void {
    if (name === '') {
      throw new WharfError('data-loss', 'Cannot unpack "/": the root of an archive can only be a directory');
    }
    if (this.#options.keepKinds) {
      const isDirectory = lstatSync(this.path(name)).isDirectory();
      const shown = JSON.stringify(toText(name));
      const where = JSON.stringify(toText(this.#options.base === '' ? '/' : this.#options.base));
      if (isDirectory && entry.type !== 'directory') {
        throw new WharfError('invalid-argument', `cannot overwrite directory ${shown} with non-directory ${where}`);
      }
      if (!isDirectory && entry.type === 'directory') {
        throw new WharfError('invalid-argument', `cannot overwrite non-directory ${shown} with directory ${where}`);
      }
    }
    this.remove(name);
  }
}

/** The error that sends the caller to unpack the layer over those below it instead. */
export function needsParent(name: ByteString): WharfError {
  return new WharfError(
    'failed-precondition',
    `Cannot unpack ${JSON.stringify(toText(name))} by itself: what it stands on is in a lower layer`,
    { code: NEEDS_PARENT },
  );
}
