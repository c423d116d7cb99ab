import { closeSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import { type FileStatus, S } from '@wharf/linux/fsx';
import type { ByteString } from '@wharf/oci/tar/bytes';
import type { TreeView } from '../files/tree-view.ts';

/** One entry of a tree whose content is known. */
export interface IndexEntry {
  /** Type and permissions as in `st_mode`. */
  readonly mode: number;
  /** Of a regular file. */
  readonly sizeBytes: number;
  /** What the client said; `UNKNOWN_TIME` for an entry that is to be asked for again. */
  readonly mtimeNs: bigint;
  /** Where a symlink leads, or the first name of a file that has several. */
  readonly link: ByteString;
  /** SHA-256 of a regular file's content, in hexadecimal digits. */
  readonly digest: string;
}

/** What is in a tree, by path below it. Owners are root's, and there are no extended attributes. */
export type ContextIndex = Map<ByteString, IndexEntry>;

/** No file has this time, so that whatever is compared with it has changed. */
export const UNKNOWN_TIME = -1n;

const FORMAT = 'wharf context index 1';
const FIELDS = 6;
const HEAD_BYTES = 128;
const ROOT_MODE = S.IFDIR | 0o755;

/** Reads an index that `writeIndex` wrote; `undefined` when there is none. */
export function readIndex(path: string): ContextIndex | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'latin1');
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
  // No name and no link holds a NUL.
  const fields = text.split('\0');
  if (fields[0] !== FORMAT || (fields.length - 3) % FIELDS !== 0) return undefined;
  const index: ContextIndex = new Map();
  for (let at = 2; at + FIELDS < fields.length; at += FIELDS) {
    const [name = '', mode, size, mtime = '', link = '', digest = ''] = fields.slice(at, at + FIELDS);
    index.set(name, { mode: Number(mode), sizeBytes: Number(size), mtimeNs: BigInt(mtime), link, digest });
  }
  return index;
}

/**
 * The boot of the machine that an index was written in; `undefined` without one. After another boot the files that it names may have
 * lost their content.
 */
export function indexedBoot(path: string): string | undefined {
  const head = Buffer.alloc(HEAD_BYTES);
  try {
    const fd = openSync(path, 'r');
    try {
      const length = readSync(fd, head, 0, HEAD_BYTES, 0);
      const [format, bootId] = head.toString('latin1', 0, length).split('\0');
      return format === FORMAT ? bootId : undefined;
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}

/** Writes an index whole or not at all. It need not outlast the machine. */
export function writeIndex(path: string, bootId: string, index: ContextIndex): void {
  const parts = [`${FORMAT}\0${bootId}\0`];
  for (const [name, { mode, sizeBytes, mtimeNs, link, digest }] of index) {
    parts.push(`${name}\0${mode}\0${sizeBytes}\0${mtimeNs}\0${link}\0${digest}\0`);
  }
  writeFileSync(`${path}.new`, parts.join(''), 'latin1');
  renameSync(`${path}.new`, path);
}

/** Looks at an indexed tree that lies at `root` without touching the disk. Files of several names share an inode number. */
export function indexView(root: ByteString, index: ContextIndex): TreeView {
  const children = childrenOf(index);
  const entryAt = (path: ByteString): IndexEntry | undefined => index.get(path.slice(root.length + 1));
  const numbers = new Map([...index.keys()].map((name, number) => [name, number + 1]));
  const linked = new Set<ByteString>();
  for (const { mode, link } of index.values()) if ((mode & S.IFMT) === S.IFREG && link !== '') linked.add(link);
  return {
    status(path) {
      if (path === root) return statusFor({ mode: ROOT_MODE, sizeBytes: 0, mtimeNs: 0n }, 0, false);
      const name = path.slice(root.length + 1);
      const entry = entryAt(path);
      if (entry === undefined) return undefined;
      const first = (entry.mode & S.IFMT) === S.IFREG && entry.link !== '' ? entry.link : name;
      return statusFor(entry, numbers.get(first) ?? 0, linked.has(first));
    },
    names: (path) => children.get(path === root ? '' : path.slice(root.length + 1)) ?? [],
    readLink(path) {
      const entry = entryAt(path);
      if (entry === undefined) throw new WharfError('internal', `Cannot read link "${path}": it is not in the index`);
      return entry.link;
    },
    digest(path) {
      const entry = entryAt(path);
      const first = entry !== undefined && entry.link !== '' ? index.get(entry.link) : entry;
      return first?.digest === '' ? undefined : first?.digest;
    },
  };
}

function childrenOf(index: ContextIndex): ReadonlyMap<ByteString, readonly ByteString[]> {
  const children = new Map<ByteString, ByteString[]>();
  for (const name of index.keys()) {
    const cut = name.lastIndexOf('/');
    const parent = name.slice(0, Math.max(0, cut));
    const names = children.get(parent);
    if (names === undefined) children.set(parent, [name.slice(cut + 1)]);
    else names.push(name.slice(cut + 1));
  }
  for (const names of children.values()) names.sort();
  return children;
}

function statusFor(
  { mode, sizeBytes, mtimeNs }: Pick<IndexEntry, 'mode' | 'sizeBytes' | 'mtimeNs'>,
  ino: number,
  isLinked: boolean,
): FileStatus {
  return {
    ...{ mode, uid: 0, gid: 0, size: sizeBytes, ino, dev: 0n, rdevMajor: 0, rdevMinor: 0 },
    ...{ mtimeNs, atimeNs: mtimeNs, ctimeNs: mtimeNs, nlink: isLinked ? 2 : 1, blocks: Math.ceil(sizeBytes / 512) },
  };
}
