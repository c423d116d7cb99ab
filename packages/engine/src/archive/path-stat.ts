import { readlinkSync } from 'node:fs';
import { formatRfc3339Nano, hasErrno } from '@wharf/kit';
import { type FileStatus, S } from '@wharf/linux/fsx';
import { type ByteString, fsPath, toText } from '@wharf/oci/tar/bytes';
import type { ContainerPathStat } from '@wharf/wire/docker/types';
import { MAX_SYMLINKS } from './limits.ts';

/** Bits of Go's `os.FileMode`, which Docker puts on the wire. */
const GO = {
  DIR: 2 ** 31,
  SYMLINK: 2 ** 27,
  DEVICE: 2 ** 26,
  NAMED_PIPE: 2 ** 25,
  SOCKET: 2 ** 24,
  SETUID: 2 ** 23,
  SETGID: 2 ** 22,
  CHAR_DEVICE: 2 ** 21,
  STICKY: 2 ** 20,
} as const;

const typeBits: Readonly<Record<number, number>> = {
  [S.IFDIR]: GO.DIR,
  [S.IFLNK]: GO.SYMLINK,
  [S.IFBLK]: GO.DEVICE,
  [S.IFCHR]: GO.DEVICE + GO.CHAR_DEVICE,
  [S.IFIFO]: GO.NAMED_PIPE,
  [S.IFSOCK]: GO.SOCKET,
};

/** A Unix mode as Go's `os.FileMode`. */
export function goFileMode(mode: number): number {
  let bits = (mode & 0o777) + (typeBits[mode & S.IFMT] ?? 0);
  if (mode & 0o4000) bits += GO.SETUID;
  if (mode & 0o2000) bits += GO.SETGID;
  if (mode & 0o1000) bits += GO.STICKY;
  return bits;
}

/** The path a client asked for, cleaned as Docker does: absolute, `.` and `..` resolved, a trailing `/` or `/.` kept. */
export function containerPath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  const clean = `/${parts.join('/')}`;
  const slash = path.endsWith('/') ? '/' : '';
  if (baseName(path) === '.') return `${clean === '/' ? '' : clean}/.${slash}`;
  return clean === '/' ? clean : `${clean}${slash}`;
}

/** Go's `filepath.Base`. */
export function baseName(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed === '' ? '/' : trimmed.slice(trimmed.lastIndexOf('/') + 1);
}

/** The content of the `X-Docker-Container-Path-Stat` header. `path` is a `containerPath`. */
export function toPathStat(path: ByteString, status: FileStatus): ContainerPathStat {
  const isLink = (status.mode & S.IFMT) === S.IFLNK;
  return {
    name: toText(baseName(path)),
    size: status.size,
    mode: goFileMode(status.mode),
    mtime: formatRfc3339Nano(status.mtimeNs),
    linkTarget: isLink ? toText(followLinks(path)) : '',
  };
}

/** Where a path leads, symlinks followed as far as there is something to follow. Never throws. */
export function followLinks(path: ByteString): ByteString {
  const pending = path.split('/').reverse();
  const done: string[] = [];
  let links = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === '' || part === '.') continue;
    if (part === '..') {
      done.pop();
      continue;
    }
    const target = links < MAX_SYMLINKS ? readLink(`/${[...done, part].join('/')}`) : undefined;
    if (target === undefined) {
      done.push(part);
      continue;
    }
    links++;
    if (target.startsWith('/')) done.length = 0;
    pending.push(...target.split('/').reverse());
  }
  return `/${done.join('/')}`;
}

function readLink(path: ByteString): ByteString | undefined {
  try {
    return readlinkSync(fsPath(path), { encoding: 'latin1' });
  } catch (error) {
    if (hasErrno(error, 'EINVAL', 'ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG')) return undefined;
    throw error;
  }
}
