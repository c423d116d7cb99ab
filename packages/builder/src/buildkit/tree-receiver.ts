import { createHash, type Hash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fchmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import { lutimesNs, mknod, S } from '@wharf/linux/fsx';
import { type ByteString, fsPath, toBytes, toText } from '@wharf/oci/tar/bytes';
import { type ContextIndex, type IndexEntry, UNKNOWN_TIME } from '../sources/context-index.ts';
import { GO, PACKET, readPacket, type ToldEntry } from './diff-copy.ts';

export interface TreeReceiverOptions {
  /** The tree that is to become the client's. */
  readonly root: string;
  /** A directory on the same file system for files that are not whole yet. */
  readonly incoming: string;
  /** What the tree holds now. True at any time; to be kept by the caller. */
  readonly index: ContextIndex;
  /** Called before the tree first changes. */
  readonly onChange: () => void;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

interface Incoming {
  readonly name: ByteString;
  readonly entry: IndexEntry;
  readonly at: string;
  readonly hash: Hash;
  fd: number | undefined;
  sizeBytes: number;
}

/**
 * Makes a tree into the one that a client tells of (fsutil's DiffCopy). Synchronous: for a worker, or for a handful of files.
 *
 * Invariants:
 * - the index says what is in the tree, whenever this ends: an entry leaves it before its file is touched and comes back when it is whole;
 * - files are never written in place, since others may have linked them: a new one takes the name of the old;
 * - a path lies in a directory that was told of before it, so no symlink is ever followed.
 */
export class TreeReceiver {
  readonly #options: TreeReceiverOptions;
  readonly #seen = new Set<ByteString>();
  readonly #directories = new Set<ByteString>(['']);
  readonly #files = new Map<number, Incoming>();
  /** Directories that get their times when all is done. */
  readonly #times = new Map<ByteString, bigint>();
  /** Further names of files, made when those are whole. */
  readonly #links: { readonly name: ByteString; readonly entry: IndexEntry }[] = [];
  readonly #changed = new Set<ByteString>();
  #count = 0;
  #bytes = 0;
  #told = false;
  #wanted: number[] = [];
  #askedToFinish = false;
  #finished = false;

  constructor(options: TreeReceiverOptions) {
    this.#options = options;
  }

  /** Takes a packet. Throws `invalid-argument` for what is no packet or leads outside, and what the client reports. */
  take(bytes: Uint8Array): void {
    const { type, id, stat, data } = readPacket(bytes);
    switch (type) {
      case PACKET.STAT:
        if (stat === undefined) this.#told = true;
        else this.#entry(stat);
        return;
      case PACKET.DATA:
        this.#data(id, data);
        return;
      case PACKET.FIN:
        this.#finish();
        return;
      case PACKET.ERROR:
        throw new WharfError('unavailable', `error from sender: ${Buffer.from(data).toString('utf8')}`);
      default:
        throw new WharfError('invalid-argument', `Cannot read the client's files: packet type ${type} is not known`);
    }
  }

  /** The numbers of files to ask the client for now. */
  takeWanted(): readonly number[] {
    const wanted = this.#wanted;
    this.#wanted = [];
    return wanted;
  }

  /** True once, when the client is to be told that there is no more to ask for. */
  takeFin(): boolean {
    if (!this.#told || this.#files.size > 0 || this.#askedToFinish) return false;
    this.#askedToFinish = true;
    return true;
  }

  /** The client has said the last word and the tree is whole. */
  get isFinished(): boolean {
    return this.#finished;
  }

  /** Content that came, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws away what is not whole. The index stays true. */
  dispose(): void {
    for (const { fd, at } of this.#files.values()) {
      if (fd === undefined) continue;
      closeSync(fd);
      unlinkSync(at);
    }
    this.#files.clear();
  }

  #entry(told: ToldEntry): void {
    const id = this.#count;
    this.#count += 1;
    if (this.#count > this.#options.maxEntries)
      throw new WharfError('resource-exhausted', 'Cannot read the build context: too many files');
    const { index } = this.#options;
    const name = this.#checked(told.path);
    if (this.#seen.has(name)) throw outside(name);
    const entry = entryOf(told);
    if (entry === undefined) return;
    this.#seen.add(name);
    const kind = entry.mode & S.IFMT;
    if (kind === S.IFDIR) this.#directories.add(name);
    const isLink = kind === S.IFREG && entry.link !== '';
    if (isLink) this.#checkLink(entry.link);
    const old = index.get(name);
    if (old !== undefined && isSame(old, entry)) {
      // Its first name may get another file.
      if (isLink) this.#links.push({ name, entry });
      return;
    }
    if (isLink) this.#links.push({ name, entry });
    else if (kind === S.IFDIR) this.#directory(name, entry, old);
    else if (kind === S.IFREG) this.#file(id, name, entry, old);
    else this.#node(name, entry);
  }

  #directory(name: ByteString, entry: IndexEntry, old: IndexEntry | undefined): void {
    const isThere = old !== undefined && (old.mode & S.IFMT) === S.IFDIR;
    const path = this.#path(name);
    this.#touch(name);
    if (!isThere) {
      this.#remove(name);
      mkdirSync(path, { mode: 0o700 });
    }
    chmodSync(path, entry.mode & 0o7777);
    this.#options.index.set(name, { ...entry, mtimeNs: UNKNOWN_TIME });
    this.#times.set(name, entry.mtimeNs);
  }

  #file(id: number, name: ByteString, entry: IndexEntry, old: IndexEntry | undefined): void {
    this.#touch(name);
    // Nothing can take the place of a directory in one step.
    if (old !== undefined && (old.mode & S.IFMT) === S.IFDIR) this.#remove(name);
    const at = `${this.#options.incoming}/${id}`;
    const incoming: Incoming = { name, entry, at, hash: createHash('sha256'), fd: undefined, sizeBytes: 0 };
    if (entry.sizeBytes === 0) {
      this.#whole(incoming);
      return;
    }
    this.#files.set(id, incoming);
    this.#wanted.push(id);
  }

  #node(name: ByteString, entry: IndexEntry): void {
    this.#touch(name);
    this.#remove(name);
    const path = this.#path(name);
    if ((entry.mode & S.IFMT) === S.IFLNK) symlinkSync(fsPath(entry.link), path);
    else mknod(path, entry.mode);
    lutimesNs(path, { atimeNs: entry.mtimeNs, mtimeNs: entry.mtimeNs });
    this.#options.index.set(name, entry);
  }

  #data(id: number, data: Uint8Array): void {
    const file = this.#files.get(id);
    if (file === undefined)
      throw new WharfError('invalid-argument', `Cannot read the client's files: ${id} was not asked for`);
    if (data.length === 0) {
      this.#files.delete(id);
      this.#whole(file);
      return;
    }
    this.#bytes += data.length;
    if (this.#bytes > this.#options.maxBytes) {
      throw new WharfError(
        'resource-exhausted',
        `Cannot read the build context: it is larger than ${this.#options.maxBytes} bytes`,
      );
    }
    file.fd ??= openSync(file.at, 'wx', 0o600);
    for (let at = 0; at < data.length; ) at += writeSync(file.fd, data, at);
    file.hash.update(data);
    file.sizeBytes += data.length;
  }

  /** A file has all its bytes and takes its place. */
  #whole({ name, entry, at, hash, fd: open, sizeBytes }: Incoming): void {
    const fd = open ?? openSync(at, 'wx', 0o600);
    try {
      fchmodSync(fd, entry.mode & 0o7777);
    } finally {
      closeSync(fd);
    }
    lutimesNs(at, { atimeNs: entry.mtimeNs, mtimeNs: entry.mtimeNs });
    this.#options.index.delete(name);
    renameSync(at, this.#path(name));
    // A file that changed while the client read it is to be asked for again.
    const mtimeNs = sizeBytes === entry.sizeBytes ? entry.mtimeNs : UNKNOWN_TIME;
    this.#options.index.set(name, { ...entry, sizeBytes, mtimeNs, digest: hash.digest('hex') });
  }

  #finish(): void {
    if (!this.#askedToFinish || this.#files.size > 0) {
      throw new WharfError('invalid-argument', "Cannot read the client's files: it ended before it was asked to");
    }
    const { index } = this.#options;
    for (const name of [...index.keys()]) {
      if (this.#seen.has(name) || !index.has(name)) continue;
      this.#touch(name);
      this.#remove(name);
    }
    for (const { name, entry } of this.#links) this.#link(name, entry);
    for (const [name, mtimeNs] of this.#times) {
      lutimesNs(this.#path(name), { atimeNs: mtimeNs, mtimeNs });
      const entry = index.get(name);
      if (entry !== undefined) index.set(name, { ...entry, mtimeNs });
    }
    this.#finished = true;
  }

  #link(name: ByteString, entry: IndexEntry): void {
    const { index } = this.#options;
    const old = index.get(name);
    if (old !== undefined && isSame(old, entry) && !this.#changed.has(entry.link)) return;
    const first = index.get(entry.link);
    if (first === undefined || (first.mode & S.IFMT) !== S.IFREG || first.link !== '') throw outside(entry.link);
    this.#touch(name);
    this.#remove(name);
    linkSync(this.#path(entry.link), this.#path(name));
    index.set(name, { ...first, link: entry.link });
  }

  /** Notes that an entry changes, and with it the directory it is in. */
  #touch(name: ByteString): void {
    if (this.#changed.size === 0) this.#options.onChange();
    this.#changed.add(name);
    const parent = parentOf(name);
    const entry = this.#options.index.get(parent);
    if (entry === undefined || entry.mtimeNs === UNKNOWN_TIME) return;
    this.#times.set(parent, entry.mtimeNs);
    this.#options.index.set(parent, { ...entry, mtimeNs: UNKNOWN_TIME });
  }

  /** Removes what is at a name, with all below it, from the tree and the index. */
  #remove(name: ByteString): void {
    this.#options.index.delete(name);
    this.#times.delete(name);
    const path = this.#path(name);
    try {
      const isDirectory = lstatSync(path).isDirectory();
      if (isDirectory) for (const each of readdirSync(path, { encoding: 'latin1' })) this.#remove(`${name}/${each}`);
      if (isDirectory) rmdirSync(path);
      else unlinkSync(path);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
  }

  #path(name: ByteString): string | Buffer {
    return fsPath(`${toBytes(this.#options.root)}/${name}`);
  }

  #checked(path: ByteString): ByteString {
    const isClean = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
    if (!isClean || path.includes('\0') || !this.#directories.has(parentOf(path))) throw outside(path);
    return path;
  }

  #checkLink(link: ByteString): void {
    if (!this.#seen.has(link)) throw outside(link);
  }
}

function isSame(old: IndexEntry, entry: IndexEntry): boolean {
  if (old.mode !== entry.mode || old.link !== entry.link) return false;
  if ((entry.mode & S.IFMT) === S.IFREG && entry.link !== '') return true;
  return old.mtimeNs === entry.mtimeNs && old.sizeBytes === entry.sizeBytes;
}

/** What becomes of an entry here; `undefined` for sockets and devices, which a context does not hold. */
function entryOf({ mode, sizeBytes, mtimeNs, link }: ToldEntry): IndexEntry | undefined {
  const times = { mtimeNs, digest: '' };
  if (has(mode, GO.DIR)) return { ...times, mode: S.IFDIR | permissionsOf(mode), sizeBytes: 0, link: '' };
  if (has(mode, GO.SYMLINK)) {
    if (link === '' || link.includes('\0')) throw outside(link);
    return { ...times, mode: S.IFLNK | 0o777, sizeBytes: 0, link };
  }
  if (has(mode, GO.SOCKET) || has(mode, GO.DEVICE)) return undefined;
  if (has(mode, GO.PIPE)) return { ...times, mode: S.IFIFO | permissionsOf(mode), sizeBytes: 0, link: '' };
  return { ...times, mode: S.IFREG | permissionsOf(mode), sizeBytes, link };
}

function outside(path: ByteString): WharfError {
  const text = toText(path);
  return new WharfError('invalid-argument', `Cannot read the client's files: "${text}" is no path below its directory`);
}

function parentOf(name: ByteString): ByteString {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

function has(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}

function permissionsOf(mode: number): number {
  const special =
    (has(mode, GO.SETUID) ? 0o4000 : 0) | (has(mode, GO.SETGID) ? 0o2000 : 0) | (has(mode, GO.STICKY) ? 0o1000 : 0);
  return (mode % 0o1000) | special;
}
