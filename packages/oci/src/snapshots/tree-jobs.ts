import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { hasErrno } from '@wharf/kit';
import {
  type FileStatus,
  lgetxattr,
  llistxattr,
  lsetxattr,
  lstatNs,
  lutimesNs,
  mknod,
  S,
  syncfs,
} from '@wharf/linux/fsx';
import { isDirectory, namesIn, statusOf } from '../layers/walk.ts';
import { type ByteString, fsPath, toBytes } from '../tar/bytes.ts';
import type { JobIo } from '../workers/protocol.ts';
import { inRoot } from '../workers/root.ts';
import { TakenFiles } from './taken-files.ts';

/** Deletes everything in a directory but the directory, with that directory as root. */
export async function emptyJob({ directory }: { readonly directory: string }): Promise<void> {
  await inRoot(directory, async () => {
    for (const name of readdirSync('/', { encoding: 'latin1' }))
      rmSync(fsPath(`/${name}`), { recursive: true, force: true });
  });
}

/**
 * What `du` counts: blocks of every inode once, directories included. A tree is entangled when some of its files have further names
 * outside of it.
 */
export async function usageJob({
  directory,
}: {
  readonly directory: string;
}): Promise<{ sizeBytes: number; inodes: number; isEntangled: boolean }> {
  let blocks = 0;
  let inodes = 0;
  /** Names of files that are yet to be met. */
  const seen = new Map<number, number>();
  const visit = (path: ByteString): void => {
    const status = lstatNs(fsPath(path));
    if (status.nlink > 1 && (status.mode & S.IFMT) !== S.IFDIR) {
      const left = seen.get(status.ino);
      seen.set(status.ino, (left ?? status.nlink) - 1);
      if (left !== undefined) return;
    }
    blocks += status.blocks;
    inodes++;
    if ((status.mode & S.IFMT) !== S.IFDIR) return;
    for (const name of readdirSync(fsPath(path), { encoding: 'latin1' })) visit(`${path}/${name}`);
  };
  visit(toBytes(directory));
  return { sizeBytes: blocks * 512, inodes, isEntangled: [...seen.values()].some((left) => left > 0) };
}

/**
 * Bytes on disk of several trees, each file counted once: for the first that has it. One that is `isLast` counts only what nothing
 * else has, be it among the trees or not. A tree that is not there counts nothing.
 */
export async function attributeJob({
  parts,
}: {
  readonly parts: readonly { readonly directory: string | undefined; readonly isLast: boolean }[];
}): Promise<readonly number[]> {
  const seen = new Set<number>();
  return parts.map(({ directory, isLast }) => {
    if (directory === undefined) return 0;
    let blocks = 0;
    const visit = (path: ByteString): void => {
      const status = statusOf(path);
      if (status === undefined) return;
      if (isDirectory(status)) {
        for (const name of namesIn(path)) visit(`${path}/${name}`);
      } else if (status.nlink > 1) {
        if (isLast || seen.has(status.ino)) return;
        seen.add(status.ino);
      }
      blocks += status.blocks;
    };
    visit(toBytes(directory));
    return blocks * 512;
  });
}

/** Writes back the file system a directory is on. */
export async function syncJob({ directory }: { readonly directory: string }): Promise<void> {
  const fd = openSync(directory, 'r');
  try {
    syncfs(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Copies a tree into an existing directory with everything `cp -a` keeps; data is shared where the file system can. With `link` all
 * but directories are the same files under further names, for trees that nobody changes; except for files that are in one of the
 * layers to be `apartFrom`, too.
 */
export async function copyJob(
  params: { readonly from: string; readonly to: string; readonly link?: { readonly apartFrom: readonly string[] } },
  io: JobIo,
): Promise<void> {
  const links = new Map<number, ByteString>();
  const root = toBytes(params.from);
  const { link } = params;
  const taken = new TakenFiles(link?.apartFrom.map(toBytes) ?? []);
  const copy = (from: ByteString, to: ByteString): void => {
    io.signal.throwIfAborted();
    const status = lstatNs(fsPath(from));
    if (link !== undefined && !isDirectory(status) && !taken.has(status) && linked(from, to)) return;
    const known = status.nlink > 1 ? links.get(status.ino) : undefined;
    if (known !== undefined) {
      linkSync(fsPath(known), fsPath(to));
      return;
    }
    copyNode(from, to, status);
    if ((status.mode & S.IFMT) === S.IFDIR) {
      for (const name of readdirSync(fsPath(from), { encoding: 'latin1' })) copy(`${from}/${name}`, `${to}/${name}`);
    } else if (status.nlink > 1) {
      links.set(status.ino, to);
    }
    // What is linked into a tree leaves its root as it is.
    if (link === undefined || from !== root) copyStatus(from, to, status);
  };
  copy(root, toBytes(params.to));
}

/** False where a file has as many names as it can have. */
function linked(from: ByteString, to: ByteString): boolean {
  try {
    linkSync(fsPath(from), fsPath(to));
    return true;
  } catch (error) {
    if (hasErrno(error, 'EMLINK')) return false;
    throw error;
  }
}

function copyNode(from: ByteString, to: ByteString, status: FileStatus): void {
  const target = fsPath(to);
  switch (status.mode & S.IFMT) {
    case S.IFDIR:
      if (!lstatSync(target, { throwIfNoEntry: false })) mkdirSync(target, 0o700);
      break;
    case S.IFREG:
      copyFileSync(fsPath(from), target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
      break;
    case S.IFLNK:
      symlinkSync(readlinkSync(fsPath(from), { encoding: 'buffer' }), target);
      break;
    default:
      mknod(target, status.mode & (S.IFMT | 0o7777), status.rdevMajor, status.rdevMinor);
  }
}

function copyStatus(from: ByteString, to: ByteString, status: FileStatus): void {
  const target = fsPath(to);
  lchownSync(target, status.uid, status.gid);
  if ((status.mode & S.IFMT) !== S.IFLNK) chmodSync(target, status.mode & 0o7777);
  for (const name of llistxattr(fsPath(from))) {
    const value = lgetxattr(fsPath(from), name);
    if (value) lsetxattr(target, name, value);
  }
  lutimesNs(target, { atimeNs: status.atimeNs, mtimeNs: status.mtimeNs });
}
