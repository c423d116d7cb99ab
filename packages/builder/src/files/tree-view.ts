import { readlinkSync } from 'node:fs';
import { WharfError } from '@wharf/kit';
import type { FileStatus } from '@wharf/linux/fsx';
import { MAX_DEPTH } from '@wharf/oci/layers/limits';
import { isDirectory, namesIn, statusOf } from '@wharf/oci/layers/walk';
import { type ByteString, fsPath, toText } from '@wharf/oci/tar/bytes';

/** A tree to look at, by absolute paths: the file system itself, or something that knows what is there without asking it. */
export interface TreeView {
  /** lstat; `undefined` when there is nothing. */
  status(path: ByteString): FileStatus | undefined;
  /** The sorted names in a directory; none when it is no directory. */
  names(path: ByteString): readonly ByteString[];
  readLink(path: ByteString): ByteString;
  /** The SHA-256 of a file's content where it is known, in hexadecimal digits. */
  digest(path: ByteString): string | undefined;
}

export const fileSystem: TreeView = {
  status: statusOf,
  names: namesIn,
  readLink: (path) => readlinkSync(fsPath(path), { encoding: 'latin1' }),
  digest: () => undefined,
};

export interface Viewed {
  readonly path: ByteString;
  /** Below the directory the walk began in; `''` for that itself. */
  readonly name: ByteString;
  readonly status: FileStatus;
}

/** Everything in a tree, each directory before what is in it, siblings in the order of their bytes. Follows no symlinks. */
export function* walkView(view: TreeView, path: ByteString): Generator<Viewed, void, undefined> {
  const status = view.status(path);
  if (!status) return;
  yield { path, name: '', status };
  if (!isDirectory(status)) return;
  // The names still to come on each level, last first.
  const levels = [{ name: '', names: view.names(path).toReversed() }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    const next = level.names.pop();
    if (next === undefined) {
      levels.pop();
      continue;
    }
    const name = level.name === '' ? next : `${level.name}/${next}`;
    const at = `${path}/${name}`;
    const found = view.status(at);
    if (!found) continue;
    yield { path: at, name, status: found };
    if (!isDirectory(found)) continue;
    if (levels.length >= MAX_DEPTH) {
      throw new WharfError('resource-exhausted', `Cannot walk ${JSON.stringify(toText(at))}: it is too deep`);
    }
    levels.push({ name, names: view.names(at).toReversed() });
  }
}
