import {
  chmodSync,
  closeSync,
  copyFileSync,
  fchmodSync,
  fchownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { posix } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';
import { type FileStatus, lgetxattr, llistxattr, lsetxattr, lutimesNs, mknod, S } from '@wharf/linux/fsx';
import { isDirectory, statusOf } from '@wharf/oci/layers/walk';
import { type ByteString, fsPath, toText } from '@wharf/oci/tar/bytes';
import { changeMode } from './mode.ts';
import type { Owner } from './owner.ts';
import { resolveInTree } from './resolve-path.ts';
import type { SelectedEntry, Selection } from './select.ts';

const DIRECTORY_MODE = 0o755;

export interface CopyOptions {
  /** The tree that is written to. */
  readonly root: ByteString;
  readonly destination: ByteString;
  readonly owner: Owner | undefined;
  /** `--chmod`; empty to keep what files have. */
  readonly mode: string;
}

/**
 * Writes selected files into a tree. Works synchronously, for a worker thread that sees both trees and nothing else.
 *
 * Invariants: nothing is written through a symlink of the destination's last part; directories get their times after what is in
 * them; several names of one inode stay several names of one.
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
    const target = this.#target(name, fromDirectory);
    for (const entry of entries)
      this.#entry(entry, entry.name === '' ? target : `${target}/${entry.name}`, entry.name === '');
  }

  /** To be called once, after the last selection. */
  finish(): void {
    for (const { path, mtimeNs } of this.#times.reverse()) lutimesNs(fsPath(path), { atimeNs: mtimeNs, mtimeNs });
  }

  /** Makes a directory and those above it. Returns where it is, symlinks of the tree followed. */
  makeDirectory(path: ByteString, mode = DIRECTORY_MODE): ByteString {
    const { root, owner } = this.#options;
    const at = resolveInTree(root, path);
    let current = root;
    for (const part of at.split('/').filter((each) => each !== '')) {
      current = `${current}/${part}`;
      const status = statusOf(current);
      if (status !== undefined && !isDirectory(status)) throw notADirectory(current.slice(root.length));
      if (status !== undefined) continue;
      mkdirSync(fsPath(current));
      chmodSync(fsPath(current), mode);
      lchownSync(fsPath(current), owner?.uid ?? 0, owner?.gid ?? 0);
    }
    return root + (at === '/' ? '' : at);
  }

  #target(name: ByteString, fromDirectory: boolean): ByteString {
    const { root, destination } = this.#options;
    if (fromDirectory) return this.makeDirectory(destination);
    const existing = statusOf(root + resolveInTree(root, destination));
    const intoDirectory = destination.endsWith('/') || (existing !== undefined && isDirectory(existing));
    const file = intoDirectory ? posix.join(destination, name) : destination;
    return `${this.makeDirectory(posix.dirname(file))}/${posix.basename(file)}`;
  }

  #entry({ path, status, implied }: SelectedEntry, target: ByteString, isTop: boolean): void {
    if (isDirectory(status)) {
      this.#directory(path, status, target, isTop || implied);
      return;
    }
    if ((status.mode & S.IFMT) === S.IFSOCK) return;
    const key = status.nlink > 1 ? `${status.dev}:${status.ino}` : undefined;
    const known = key === undefined ? undefined : this.#links.get(key);
    makeWay(target, this.#options.root);
    if (known !== undefined) {
      linkSync(fsPath(known), fsPath(target));
      return;
    }
    if (key !== undefined) this.#links.set(key, target);
    this.#node(path, status, target);
    copyXattrs(path, target);
    lutimesNs(fsPath(target), { atimeNs: status.mtimeNs, mtimeNs: status.mtimeNs });
  }

  #directory(path: ByteString, status: FileStatus, target: ByteString, keepExisting: boolean): void {
    const existing = statusOf(target);
    const there = existing !== undefined && isDirectory(existing);
    if (existing !== undefined && !there) {
      // A symlink to a directory is written through, as tar and cp do it.
      const led = this.#options.root + resolveInTree(this.#options.root, target.slice(this.#options.root.length));
      const leads = statusOf(led);
      if (leads === undefined || !isDirectory(leads)) throw notADirectory(target.slice(this.#options.root.length));
      return;
    }
    if (!there) mkdirSync(fsPath(target));
    if (there && keepExisting) return;
    this.#own(target, status);
    copyXattrs(path, target);
    this.#times.push({ path: target, mtimeNs: status.mtimeNs });
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
        symlinkSync(readlinkSync(from, { encoding: 'buffer' }), to);
        lchownSync(to, ...this.#ids(status));
        return;
      default:
        mknod(to, status.mode, status.rdevMajor, status.rdevMinor);
        this.#own(target, status);
    }
  }

  #own(target: ByteString, status: FileStatus): void {
    lchownSync(fsPath(target), ...this.#ids(status));
    chmodSync(fsPath(target), this.#mode(status));
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

function makeWay(target: ByteString, root: ByteString): void {
  try {
    unlinkSync(fsPath(target));
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return;
    if (!hasErrno(error, 'EISDIR', 'EPERM')) throw error;
    throw new WharfError(
      'invalid-argument',
      `cannot copy to directory: ${toText(target.slice(root.length))} is a directory and the source is a file`,
    );
  }
}

function copyXattrs(from: ByteString, to: ByteString): void {
  for (const name of llistxattr(fsPath(from))) {
    if (name === 'security.selinux' || name.startsWith('trusted.overlay.')) continue;
    const value = lgetxattr(fsPath(from), name);
    try {
      if (value) lsetxattr(fsPath(to), name, value);
    } catch (error) {
      if (!hasErrno(error, 'ENOTSUP', 'EOPNOTSUPP', 'EPERM')) throw error;
    }
  }
}

function notADirectory(path: ByteString): WharfError {
  return new WharfError('invalid-argument', `cannot copy to non-directory: ${toText(path)}`);
}
