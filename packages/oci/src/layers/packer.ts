import { closeSync, fstatSync, openSync, readlinkSync, readSync } from 'node:fs';
import { hasErrno } from '@wharf/kit';
import { O } from '@wharf/linux/constants';
import { type FileStatus, lgetxattr, llistxattr, S } from '@wharf/linux/fsx';
import { type ByteString, fsPath } from '../tar/bytes.ts';
import type { TarEntryInit } from '../tar/entry.ts';
import { WRITE_CHUNK_BYTES } from '../tar/limits.ts';
import { encodeTarHeader, TAR_END, tarPadding } from '../tar/write.ts';
import { OVERLAY_XATTRS } from './whiteout.ts';

/** A chunk that owns its memory, so that it can be handed to another thread. */
export type Chunk = Uint8Array<ArrayBuffer>;

export interface PackerOptions {
  /** Cuts times down to whole seconds, as Docker does: fractions cost a PAX header for every entry. */
  readonly wholeSeconds: boolean;
  /** Later times are written as this one. */
  readonly latestNs?: bigint | undefined;
  /** Every time is written as this one. */
  readonly fixedNs?: bigint | undefined;
  /** Every chunk is in the same memory, for who is done with it before asking for the next. */
  readonly reuse?: boolean;
}

// Labels belong to the host's policy, and overlayfs's marks to the stack the file was in.
const foreignXattr = (name: string): boolean => name === 'security.selinux' || name.startsWith(OVERLAY_XATTRS);

/**
 * Writes files into an archive, as generators that yield whole chunks: between two of them the caller may wait.
 * Files are read straight into the chunk that leaves.
 *
 * Invariants: of several names of one inode the first is the file and the others are links to it; a file that shrinks
 * while it is read is filled up with zeros, one that grows is cut; what vanishes in the meantime is left out.
 */
export class Packer {
  readonly #options: PackerOptions;
  readonly #links = new Map<string, ByteString>();
  #buffer = Buffer.allocUnsafeSlow(WRITE_CHUNK_BYTES);
  #used = 0;

  constructor(options: PackerOptions) {
    this.#options = options;
  }

  /** Adds what is at `path` under another name. `status` is its lstat. Sockets are left out: tar has no such thing. */
  *addFile(path: ByteString, name: ByteString, status: FileStatus): Generator<Chunk, void, undefined> {
    const type = typeOf(status.mode);
    if (type === undefined) return;
    const linkKey = status.nlink > 1 && type !== 'directory' ? `${status.dev}:${status.ino}` : undefined;
    const known = linkKey === undefined ? undefined : this.#links.get(linkKey);
    if (known !== undefined) {
      yield* this.#bytes(encodeTarHeader({ ...this.#attributes(name, status), type: 'link', linkName: known }));
      return;
    }
    const at = fsPath(path);
    try {
      if (type === 'file') yield* this.#regular(at, name, status);
      else {
        const linkName = type === 'symlink' ? readlinkSync(at, { encoding: 'latin1' }) : '';
        const xattrs = readXattrs(at);
        yield* this.#bytes(encodeTarHeader({ ...this.#attributes(name, status), type, linkName, xattrs }));
      }
      if (linkKey !== undefined) this.#links.set(linkKey, name);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
    }
  }

  /** Adds an entry without content. */
  addEntry(entry: TarEntryInit): Generator<Chunk, void, undefined> {
    return this.#bytes(encodeTarHeader(entry));
  }

  /** Adds a file that is no file yet. */
  *addContent(entry: TarEntryInit, data: Buffer): Generator<Chunk, void, undefined> {
    yield* this.#bytes(encodeTarHeader({ ...entry, sizeBytes: data.length }));
    yield* this.#bytes(data);
    yield* this.#bytes(tarPadding(data.length));
  }

  /** The end marker and whatever is left. */
  *end(): Generator<Chunk, void, undefined> {
    yield* this.#bytes(TAR_END);
    if (this.#used > 0) yield this.#take();
  }

  *#regular(at: string | Buffer, name: ByteString, status: FileStatus): Generator<Chunk, void, undefined> {
    // Not following and not blocking, should something else have come to its place.
    const fd = openSync(at, O.RDONLY | O.NOFOLLOW | O.NONBLOCK);
    try {
      const { size } = fstatSync(fd);
      const xattrs = readXattrs(at);
      yield* this.#bytes(encodeTarHeader({ ...this.#attributes(name, status), type: 'file', sizeBytes: size, xattrs }));
      let left = size;
      while (left > 0) {
        const room = Math.min(left, WRITE_CHUNK_BYTES - this.#used);
        let count = readSync(fd, this.#buffer, this.#used, room, null);
        if (count === 0) {
          this.#buffer.fill(0, this.#used, this.#used + room);
          count = room;
        }
        this.#used += count;
        left -= count;
        if (this.#used === WRITE_CHUNK_BYTES) yield this.#take();
      }
      yield* this.#bytes(tarPadding(size));
    } finally {
      closeSync(fd);
    }
  }

  #attributes(name: ByteString, status: FileStatus): Omit<TarEntryInit, 'type'> {
    const { mode, uid, gid, mtimeNs, rdevMajor, rdevMinor } = status;
    return {
      name,
      mode: mode & 0o7777,
      uid,
      gid,
      mtimeNs: this.#time(mtimeNs),
      deviceMajor: rdevMajor,
      deviceMinor: rdevMinor,
    };
  }

  #time(ns: bigint): bigint {
    const { wholeSeconds, latestNs, fixedNs } = this.#options;
    if (fixedNs !== undefined) return fixedNs;
    const clamped = latestNs !== undefined && ns > latestNs ? latestNs : ns;
    return wholeSeconds ? floorToSeconds(clamped) : clamped;
  }

  *#bytes(bytes: Buffer): Generator<Chunk, void, undefined> {
    for (let at = 0; at < bytes.length; ) {
      const count = bytes.copy(this.#buffer, this.#used, at);
      at += count;
      this.#used += count;
      if (this.#used === WRITE_CHUNK_BYTES) yield this.#take();
    }
  }

  #take(): Chunk {
    const chunk = this.#buffer.subarray(0, this.#used);
    if (this.#options.reuse !== true) this.#buffer = Buffer.allocUnsafeSlow(WRITE_CHUNK_BYTES);
    this.#used = 0;
    return chunk;
  }
}

function typeOf(mode: number): TarEntryInit['type'] | undefined {
  switch (mode & S.IFMT) {
    case S.IFREG:
      return 'file';
    case S.IFDIR:
      return 'directory';
    case S.IFLNK:
      return 'symlink';
    case S.IFCHR:
      return 'char';
    case S.IFBLK:
      return 'block';
    case S.IFIFO:
      return 'fifo';
    default:
      return undefined;
  }
}

function readXattrs(path: string | Buffer): Map<string, Buffer> | undefined {
  const names = llistxattr(path);
  if (names.length === 0) return undefined;
  const xattrs = new Map<string, Buffer>();
  for (const name of names) {
    const value = foreignXattr(name) ? undefined : lgetxattr(path, name);
    if (value) xattrs.set(name, value);
  }
  return xattrs.size === 0 ? undefined : xattrs;
}

function floorToSeconds(ns: bigint): bigint {
  const rest = ((ns % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return ns - rest;
}
