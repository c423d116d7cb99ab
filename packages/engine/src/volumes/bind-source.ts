import { closeSync, mkdirSync, readlinkSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { AT_FDCWD } from '@wharf/linux/constants';
import { O, openat2, RESOLVE } from '@wharf/linux/fsx';

const inside = RESOLVE.BENEATH | RESOLVE.NO_MAGICLINKS;

/** A directory that containers can write in, and what is asked for below it. */
interface GuardedSource {
  readonly source: string;
  readonly root: string;
  /** Where the source led when the container was made; a link that was there then is the user's. */
  readonly before?: string | undefined;
  /** A missing directory is made. */
  readonly create: boolean;
}

/**
 * The longest of `roots` that `source` lies below, not being it. What containers can write in they can fill with symlinks,
 * at any moment.
 */
export function rootOver(source: string, roots: Iterable<string>): string | undefined {
  let longest: string | undefined;
  for (const root of roots) {
    if (root === '/' || !source.startsWith(`${root}/`) || root.length <= (longest?.length ?? 0)) continue;
    longest = root;
  }
  return longest;
}

/**
 * Opens a bind's source that lies in a tree containers can write in, so that what is checked is what gets mounted. Links may
 * lead anywhere within the tree, and where they led when the container was made. The descriptor (`O_PATH`) is the caller's.
 * Throws `invalid-argument` when a link leads out, `not-found` when it is missing.
 */
export function openGuarded({ source, root, before, create }: GuardedSource): number {
  const rootFd = openat2(AT_FDCWD, root, { flags: O.PATH | O.DIRECTORY, resolve: RESOLVE.NO_MAGICLINKS });
  try {
    const path = relative(root, source);
    if (create) makeBeneath(rootFd, path);
    return openat2(rootFd, path, { flags: O.PATH, resolve: inside });
  } catch (cause) {
    // An absolute link leaves the tree even when it leads back into it.
    if (hasErrno(cause, 'EXDEV')) return openWhereItLeads({ source, root, before, create }, readlinkOf(rootFd));
    if (!hasErrno(cause, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw cause;
    throw new WharfError('not-found', `Cannot bind "${source}": it does not exist`, { cause });
  } finally {
    closeSync(rootFd);
  }
}

function openWhereItLeads({ source, root, before }: GuardedSource, realRoot: string): number {
  let fd: number | undefined;
  try {
    fd = openat2(AT_FDCWD, source, { flags: O.PATH, resolve: RESOLVE.NO_MAGICLINKS });
    const found = readlinkOf(fd);
    if (found === before || found === realRoot || found.startsWith(`${realRoot}/`)) return fd;
  } catch (error) {
    if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
  }
  if (fd !== undefined) closeSync(fd);
  throw new WharfError(
    'invalid-argument',
    `Cannot bind "${source}": it leads out of "${root}", which other containers can write in`,
  );
}

/** Where a path leads now; undefined when there is nothing. */
export function realPathOf(path: string): string | undefined {
  try {
    const fd = openat2(AT_FDCWD, path, { flags: O.PATH, resolve: RESOLVE.NO_MAGICLINKS });
    try {
      return readlinkOf(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES')) return undefined;
    throw error;
  }
}

/** Makes the missing source of a `-v`, as a directory; a file or anything else that is there stays. */
export async function makeSource(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o755 });
  } catch (cause) {
    if (hasErrno(cause, 'EEXIST', 'ENOTDIR')) return;
    throw new WharfError('invalid-argument', `error while creating mount source path '${path}': ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** `mkdir -p` that no symlink can lead out of `root`. */
function makeBeneath(root: number, path: string): void {
  if (path === '' || path === '.') return;
  try {
    closeSync(openat2(root, path, { flags: O.PATH, resolve: inside }));
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
    const above = dirname(path);
    makeBeneath(root, above);
    const parent = openat2(root, above, { flags: O.PATH | O.DIRECTORY, resolve: inside });
    try {
      mkdirSync(`/proc/self/fd/${parent}/${path.slice(above === '.' ? 0 : above.length + 1)}`, { mode: 0o755 });
    } catch (again) {
      if (!hasErrno(again, 'EEXIST')) throw again;
    } finally {
      closeSync(parent);
    }
  }
}

function readlinkOf(fd: number): string {
  return readlinkSync(`/proc/self/fd/${fd}`);
}
