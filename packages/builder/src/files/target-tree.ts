import { chmodSync, lchownSync, mkdirSync } from 'node:fs';
import { hasErrno } from '@wharf/kit';
import { type FileStatus, lgetxattr, llistxattr, lsetxattr } from '@wharf/linux/fsx';
import { isDirectory, namesIn, statusOf } from '@wharf/oci/layers/walk';
import { type ByteString, fsPath } from '@wharf/oci/tar/bytes';
import { fileSystem, type TreeView } from './tree-view.ts';

/**
 * A layer that is being written, seen together with what is below it. Written without an overlay mount, which costs three times as
 * much and does not let files be linked in. Nothing is ever deleted from below, so what is in the layer simply comes first.
 */
export class TargetTree implements TreeView {
  readonly root: ByteString;
  readonly #lower: ByteString | undefined;
  /** Directories known to be in the layer itself. */
  readonly #own = new Set<ByteString>();
  /** Those of them that are not below it, so that nothing in them is. */
  readonly #made = new Set<ByteString>();

  /** @param lower where the tree below is shown, if there is one */
  constructor(root: ByteString, lower: ByteString | undefined) {
    this.root = root;
    this.#lower = lower;
    this.#own.add(root);
  }

  status(path: ByteString): FileStatus | undefined {
    return statusOf(this.locate(path));
  }

  names(path: ByteString): readonly ByteString[] {
    const below = this.#lower === undefined ? [] : namesIn(this.#lower + path.slice(this.root.length));
    return [...new Set([...namesIn(path), ...below])].sort();
  }

  readLink(path: ByteString): ByteString {
    return fileSystem.readLink(this.locate(path));
  }

  digest(): undefined {
    return undefined;
  }

  /** Where the file at a path really lies: in the layer, or below it. */
  locate(path: ByteString): ByteString {
    if (this.#lower === undefined || this.#own.has(path) || this.isNew(parentOf(path))) return path;
    if (statusOf(path) !== undefined) return path;
    return this.#lower + path.slice(this.root.length);
  }

  /** True for a directory that was made for this layer. */
  isNew(path: ByteString): boolean {
    return this.#made.has(path);
  }

  /** Makes a directory that is not there. */
  makeDirectory(path: ByteString): void {
    this.own(parentOf(path));
    mkdirSync(fsPath(path));
    this.#own.add(path);
    this.#made.add(path);
  }

  /** Sees to it that a directory that is there is in the layer, with the attributes it has below, so that things can be put into it. */
  own(path: ByteString): void {
    if (this.#own.has(path)) return;
    this.own(parentOf(path));
    const at = this.locate(path);
    if (at !== path) {
      const status = statusOf(at);
      if (status === undefined || !isDirectory(status)) return;
      mkdirSync(fsPath(path));
      lchownSync(fsPath(path), status.uid, status.gid);
      chmodSync(fsPath(path), status.mode & 0o7777);
      copyXattrs(at, path);
    }
    this.#own.add(path);
  }
}

function parentOf(path: ByteString): ByteString {
  return path.slice(0, path.lastIndexOf('/'));
}

/** Gives a file the extended attributes of another, except for those that belong to the host. */
export function copyXattrs(from: ByteString, to: ByteString): void {
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
