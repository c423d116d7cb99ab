import { readdirSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import { type FileStatus, lstatNs, S } from '@wharf/linux/fsx';
import { type ByteString, fsPath, toText } from '../tar/bytes.ts';
import { MAX_DEPTH } from './limits.ts';

export interface Walked {
  readonly path: ByteString;
  /** Below the directory the walk began in; `''` for that itself. */
  readonly name: ByteString;
  readonly status: FileStatus;
}

/** Everything in a tree, each directory before what is in it, siblings in the order of their bytes. Follows no symlinks. */
export function* walk(path: ByteString): Generator<Walked, void, undefined> {
  const status = statusOf(path);
  if (!status) return;
  yield { path, name: '', status };
  if (!isDirectory(status)) return;
  // A stack of the names still to come on each level, last first.
  const levels: { readonly name: ByteString; readonly names: ByteString[] }[] = [
    { name: '', names: namesIn(path).reverse() },
  ];
  for (;;) {
    const level = levels.at(-1);
    if (!level) return;
    const next = level.names.pop();
    if (next === undefined) {
      levels.pop();
      continue;
    }
    const name = level.name === '' ? next : `${level.name}/${next}`;
    const at = path === '/' ? `/${name}` : `${path}/${name}`;
    const found = statusOf(at);
    if (!found) continue;
    yield { path: at, name, status: found };
    if (!isDirectory(found)) continue;
    if (levels.length >= MAX_DEPTH) {
      throw new WharfError('resource-exhausted', `Cannot walk ${JSON.stringify(toText(at))}: it is too deep`);
    }
    levels.push({ name, names: namesIn(at).reverse() });
  }
}

export function isDirectory(status: FileStatus): boolean {
  return (status.mode & S.IFMT) === S.IFDIR;
}

/** lstat, undefined when there is nothing (any more). */
export function statusOf(path: ByteString): FileStatus | undefined {
  try {
    return lstatNs(fsPath(path));
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** The sorted names in a directory; none when it is gone. */
export function namesIn(path: ByteString): ByteString[] {
  try {
    return readdirSync(fsPath(path), { encoding: 'latin1' }).sort();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return [];
    throw error;
  }
}
