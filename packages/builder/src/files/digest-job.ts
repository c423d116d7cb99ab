import { createHash } from 'node:crypto';
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import { lgetxattr, llistxattr, S } from '@wharf/linux/fsx';
import { type ByteString, fsPath } from '@wharf/oci/tar/bytes';
import type { JobIo } from '@wharf/oci/workers/protocol';
import { inPlaces, type Place, sourceRoot } from './places.ts';
import { type SelectedEntry, select } from './select.ts';

const READ_BYTES = 1024 * 1024;

export interface DigestParams {
  readonly source: Place;
  readonly selectors: readonly Parameters<typeof select>[1][];
  /** Content digests by file version. */
  readonly known?: ReadonlyMap<string, string> | undefined;
}

export interface DigestOutcome {
  readonly digests: readonly string[];
  /** Digests that were not known. */
  readonly learned: ReadonlyMap<string, string>;
}

/**
 * A digest for each selector of what it takes from the source: names, kinds, modes, owners and contents; times do not count, so
 * that a source that was made again to the same effect has the same digest.
 */
export function digestJob({ source, selectors, known }: DigestParams, io: JobIo): Promise<DigestOutcome> {
  return inPlaces([source], undefined, async () => {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    const learned = new Map<string, string>();
    const contentOf = ({ path, status }: SelectedEntry): string => {
      const version = fileVersion(status);
      const there = known?.get(version) ?? learned.get(version);
      if (there !== undefined) return there;
      const digest = contentHash(path, buffer);
      learned.set(version, digest);
      return digest;
    };
    const digests = selectors.map((selector) => {
      const hash = createHash('sha256');
      for (const { name, isDirectory, entries } of select(sourceRoot(0), selector)) {
        hash.update(`${isDirectory ? 'd' : 'f'}\0${isDirectory ? '' : name}\0${entries.length}\0`, 'latin1');
        for (const entry of entries) {
          io.signal.throwIfAborted();
          hash.update(describe(entry), 'latin1');
          if ((entry.status.mode & S.IFMT) === S.IFREG) hash.update(contentOf(entry));
        }
      }
      return hash.digest('hex');
    });
    return { digests, learned };
  });
}

function describe({ path, name, status }: SelectedEntry): string {
  const kind = status.mode & S.IFMT;
  const isLink = kind === S.IFLNK;
  const device = kind === S.IFCHR || kind === S.IFBLK ? `${status.rdevMajor}:${status.rdevMinor}` : '';
  const target = isLink ? readlinkSync(fsPath(path), { encoding: 'latin1' }) : '';
  const size = kind === S.IFREG ? status.size : 0;
  const parts = [name, status.mode, status.uid, status.gid, size, device, target, xattrsOf(path)];
  return `${parts.join('\0')}\0\0`;
}

function xattrsOf(path: ByteString): string {
  return llistxattr(fsPath(path))
    .filter((name) => name !== 'security.selinux' && !name.startsWith('trusted.overlay.'))
    .sort()
    .map((name) => `${name}=${lgetxattr(fsPath(path), name)?.toString('hex') ?? ''}`)
    .join(',');
}

/** Tells one version of a file's content from another, as long as nobody sets times back. */
function fileVersion({ dev, ino, size, mtimeNs }: SelectedEntry['status']): string {
  return `${dev}:${ino}:${size}:${mtimeNs}`;
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
