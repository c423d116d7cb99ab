import {
  chmodSync,
  closeSync,
  copyFileSync,
  fchmodSync,
  fchownSync,
  lchownSync,
  linkSync,
  openSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { posix } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';
import { type FileStatus, lutimesNs, mknod, S } from '@wharf/linux/fsx';
import { isDirectory } from '@wharf/oci/layers/walk';
import { type ByteString, fsPath, toText } from '@wharf/oci/tar/bytes';
import { changeMode } from './mode.ts';
import type { Owner } from './owner.ts';
import { resolveInTree } from './resolve-path.ts';
import type { SelectedEntry, Selection } from './select.ts';
import { copyXattrs, type TargetTree } from './target-tree.ts';
import { fileSystem, type TreeView } from './tree-view.ts';

const DIRECTORY_MODE = 0o755;

export interface CopyOptions {
  readonly source: TreeView;
  readonly target: TargetTree;
  readonly destination: ByteString;
  readonly owner: Owner | undefined;
  /** `--chmod`; empty to keep what files have. */
  readonly mode: string;
  /** Puts a file that nobody changes any more into the target under a further name; false where that cannot be. */
  readonly link?: ((path: ByteString, status: FileStatus, target: ByteString) => boolean) | undefined;
}

/**
 * Writes selected files into a tree. Works synchronously, for a worker thread that sees both trees and nothing else.
 *
 * Invariants: nothing is written through a symlink of the destination's last part; directories get their times after what is in
 * them; several names of one inode stay several names of one, and other files stay files of their own.
 */
export class Copier {
  readonly #options: CopyOptions;
  readonly #links = new Map<string, ByteString>();
  readonly #times: { readonly path: ByteString; readonly mtimeNs: bigint }[] = [];

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  copy({ name, isDirectory: fromDirectory, entries }: Selection): void {
    if (entries.length === 0) return;
    const target = this.#top(name, fromDirectory);
    // Where the directories of the source have become others, which is so for symlinks that lead to directories.
    const places = new Map<ByteString, ByteString>([['', target]]);
    for (const entry of entries) {
      if (entry.name === '') {
        this.#entry(entry, target, true);
        continue;
      }
      const cut = entry.name.lastIndexOf('/');
      const parent = places.get(entry.name.slice(0, Math.max(0, cut))) ?? target;
      const at = this.#entry(entry, `${parent}/${entry.name.slice(cut + 1)}`, false);
      if (isDirectory(entry.status)) places.set(entry.name, at);
    }
  }

  /** To be called once, after the last selection. */
  finish(): void {
    for (const { path, mtimeNs } of this.#times.reverse()) lutimesNs(fsPath(path), { atimeNs: mtimeNs, mtimeNs });
  }

  /** Makes a directory and those above it. Returns where it is, symlinks of the tree followed. */
  makeDirectory(path: ByteString, mode = this.#madeMode): ByteString {
    const { target, owner } = this.#options;
    const at = resolveInTree(target.root, path, true, target);
    let current = target.root;
    for (const part of at.split('/').filter((each) => each !== '')) {
      current = `${current}/${part}`;
      const status = target.status(current);
      if (status !== undefined && !isDirectory(status)) throw notADirectory(current.slice(target.root.length));
      if (status !== undefined) continue;
      target.makeDirectory(current);
      chmodSync(fsPath(current), mode);
      lchownSync(fsPath(current), owner?.uid ?? 0, owner?.gid ?? 0);
    }
    return target.root + (at === '/' ? '' : at);
  }

  /** Directories that are made for a file get its `--chmod`, too, as far as that is a number. */
  get #madeMode(): number {
    const { mode } = this.#options;
    return /^[0-7]+$/.test(mode) ? changeMode(mode, 0, true) : DIRECTORY_MODE;
  }

  #top(name: ByteString, fromDirectory: boolean): ByteString {
    const { target, destination } = this.#options;
    if (fromDirectory) return this.makeDirectory(destination);
    // A symlink that is the destination itself is followed, as every link on the way to it is.
    const led = resolveInTree(target.root, destination, true, target);
    const existing = target.status(target.root + led);
    const intoDirectory = destination.endsWith('/') || (existing !== undefined && isDirectory(existing));
    const file = intoDirectory ? posix.join(destination, name) : led;
    return `${this.makeDirectory(posix.dirname(file))}/${posix.basename(file)}`;
  }

  /** Returns where the entry has come to lie. */
  #entry({ path, status, implied }: SelectedEntry, target: ByteString, isTop: boolean): ByteString {
    if (isDirectory(status)) return this.#directory(path, status, target, isTop || implied);
    if ((status.mode & S.IFMT) === S.IFSOCK) return target;
    const key = status.nlink > 1 ? `${status.dev}:${status.ino}` : undefined;
    const known = key === undefined ? undefined : this.#links.get(key);
    if (known === undefined && this.#linkIntoNew(path, status, target)) {
      if (key !== undefined) this.#links.set(key, target);
      return target;
    }
    this.#makeWay(target);
    if (known !== undefined) {
      linkSync(fsPath(known), fsPath(target));
      return target;
    }
    if (key !== undefined) this.#links.set(key, target);
    if (this.#isAsItIs(status) && this.#options.link?.(path, status, target) === true) return target;
    this.#node(path, status, target);
    if (this.#options.source === fileSystem) copyXattrs(path, target);
    lutimesNs(fsPath(target), { atimeNs: status.mtimeNs, mtimeNs: status.mtimeNs });
    return target;
  }

  /** The short way for what most copies are: many files into a directory that is new. */
  #linkIntoNew(path: ByteString, status: FileStatus, target: ByteString): boolean {
    const { link, target: tree } = this.#options;
    if (link === undefined || !tree.isNew(posix.dirname(target)) || !this.#isAsItIs(status)) return false;
    try {
      return link(path, status, target);
    } catch (error) {
      // An earlier selection has put something there.
      if (!hasErrno(error, 'EEXIST')) throw error;
      return false;
    }
  }

  #directory(path: ByteString, status: FileStatus, wanted: ByteString, keepExisting: boolean): ByteString {
    const { target } = this.#options;
    const existing = target.status(wanted);
    if (existing !== undefined && !isDirectory(existing)) {
      // A symlink to a directory is written through, as tar and cp do it.
      const led = target.root + resolveInTree(target.root, wanted.slice(target.root.length), true, target);
      const leads = target.status(led);
      if (leads === undefined || !isDirectory(leads)) throw notADirectory(wanted.slice(target.root.length));
      return led;
    }
    if (existing !== undefined && keepExisting) return wanted;
    if (existing === undefined) target.makeDirectory(wanted);
    else target.own(wanted);
    this.#own(wanted, status);
    if (this.#options.source === fileSystem) copyXattrs(path, wanted);
    this.#times.push({ path: wanted, mtimeNs: status.mtimeNs });
    return wanted;
  }

  #node(path: ByteString, status: FileStatus, target: ByteString): void {
    const [from, to] = [fsPath(path), fsPath(target)];
    switch (status.mode & S.IFMT) {
      case S.IFREG: {
        copyFileSync(from, to);
        const fd = openSync(to, 'r');
        try {
          fchownSync(fd, ...this.#ids(status));
          fchmodSync(fd, this.#mode(status));
        } finally {
          closeSync(fd);
        }
        return;
      }
      case S.IFLNK:
        symlinkSync(fsPath(this.#options.source.readLink(path)), to);
        lchownSync(to, ...this.#ids(status));
        return;
      default:
        mknod(to, status.mode, status.rdevMajor, status.rdevMinor);
        this.#own(target, status);
    }
  }

  /** Takes away what is at a file's future place, and puts the directory into the layer. */
  #makeWay(path: ByteString): void {
    const { target } = this.#options;
    target.own(posix.dirname(path));
    const existing = target.status(path);
    if (existing === undefined) return;
    if (isDirectory(existing)) {
      throw new WharfError(
        'invalid-argument',
        `cannot copy to directory: ${toText(path.slice(target.root.length))} is a directory and the source is a file`,
      );
    }
    try {
      unlinkSync(fsPath(path));
    } catch (error) {
      // It is below the layer, and covered.
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
  }

  #own(target: ByteString, status: FileStatus): void {
    lchownSync(fsPath(target), ...this.#ids(status));
    chmodSync(fsPath(target), this.#mode(status));
  }

  /** True when a file keeps its owner and its mode. */
  #isAsItIs(status: FileStatus): boolean {
    const [uid, gid] = this.#ids(status);
    if ((status.mode & S.IFMT) !== S.IFREG || uid !== status.uid || gid !== status.gid) return false;
    return this.#options.mode === '' || this.#mode(status) === (status.mode & 0o7777);
  }

  #ids(status: FileStatus): [number, number] {
    const { owner } = this.#options;
    return [owner?.uid ?? status.uid, owner?.gid ?? status.gid];
  }

  #mode(status: FileStatus): number {
    const { mode } = this.#options;
    return mode === '' ? status.mode & 0o7777 : changeMode(mode, status.mode, isDirectory(status));
  }
}

function notADirectory(path: ByteString): WharfError {
  return new WharfError('invalid-argument', `cannot copy to non-directory: ${toText(path)}`);
}
