import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { lgetxattr, llistxattr, S } from '@wharf/linux/fsx';
import { type ByteString, fsPath } from '@wharf/oci/tar/bytes';
import type { JobIo } from '@wharf/oci/workers/protocol';
import { inPlaces, type Place, sourceRoot, viewsOf } from './places.ts';
import { type SelectedEntry, select } from './select.ts';
import { fileSystem, type TreeView } from './tree-view.ts';

const READ_BYTES = 1024 * 1024;
const HASHED_AT_ONCE = 64 * 1024;

export interface DigestParams {
  readonly source: Place;
  readonly selectors: readonly Parameters<typeof select>[2][];
}

/**
 * A digest for each selector of what it takes from the source: names, kinds, modes, owners and contents; times do not count, so
 * that a source that was made again to the same effect has the same digest. Of an indexed source nothing is read.
 */
export function digestJob({ source, selectors }: DigestParams, io: JobIo): Promise<readonly string[]> {
  const [view = fileSystem] = viewsOf([source]);
  if (view === fileSystem) return inPlaces([source], undefined, async () => digests(view, selectors, io));
  return Promise.resolve(digests(view, selectors, io));
}

function digests(view: TreeView, selectors: DigestParams['selectors'], io: JobIo): readonly string[] {
  // Several selectors may take the same file.
  const known = new Map<ByteString, string>();
  let buffer: Buffer | undefined;
  const contentOf = ({ path }: SelectedEntry): string => {
    let digest = view.digest(path) ?? known.get(path);
    if (digest === undefined) {
      buffer ??= Buffer.allocUnsafeSlow(READ_BYTES);
      digest = contentHash(path, buffer);
      known.set(path, digest);
    }
    return digest;
  };
  return selectors.map((selector) => {
    const hash = createHash('sha256');
    for (const { name, isDirectory, entries } of select(view, sourceRoot(0), selector)) {
      let text = `${isDirectory ? 'd' : 'f'}\0${isDirectory ? '' : name}\0${entries.length}\0`;
      for (const entry of entries) {
        io.signal.throwIfAborted();
        text += describe(view, entry);
        if ((entry.status.mode & S.IFMT) === S.IFREG) text += contentOf(entry);
        if (text.length < HASHED_AT_ONCE) continue;
        hash.update(text, 'latin1');
        text = '';
      }
      hash.update(text, 'latin1');
    }
    return hash.digest('hex');
  });
}

function describe(view: TreeView, { path, name, status }: SelectedEntry): string {
  const kind = status.mode & S.IFMT;
  const isLink = kind === S.IFLNK;
  const device = kind === S.IFCHR || kind === S.IFBLK ? `${status.rdevMajor}:${status.rdevMinor}` : '';
  const target = isLink ? view.readLink(path) : '';
  const size = kind === S.IFREG ? status.size : 0;
  const xattrs = view === fileSystem ? xattrsOf(path) : '';
  const parts = [name, status.mode, status.uid, status.gid, size, device, target, xattrs];
  return `${parts.join('\0')}\0\0`;
}

function xattrsOf(path: ByteString): string {
  return llistxattr(fsPath(path))
    .filter((name) => name !== 'security.selinux' && !name.startsWith('trusted.overlay.'))
    .sort()
    .map((name) => `${name}=${lgetxattr(fsPath(path), name)?.toString('hex') ?? ''}`)
    .join(',');
}

function contentHash(path: ByteString, buffer: Buffer): string {
  const hash = createHash('sha256');
  const fd = openSync(fsPath(path), 'r');
  try {
    for (;;) {
      const length = readSync(fd, buffer, 0, buffer.length, null);
      if (length === 0) return hash.digest('hex');
      hash.update(buffer.subarray(0, length));
    }
  } finally {
    closeSync(fd);
  }
}
