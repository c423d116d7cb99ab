import { closeSync, fchmodSync, fchownSync, ftruncateSync, openSync, rmSync, writeSync } from 'node:fs';
import { O } from '@wharf/linux/constants';
import { lutimesNs } from '@wharf/linux/fsx';
import type { IdMapping } from '@wharf/linux/user-namespace';
import { type ByteString, fsPath } from '../tar/bytes.ts';
import type { TarEntry } from '../tar/entry.ts';
import type { TarSink } from '../tar/parser.ts';
import { unpackError } from './extract-error.ts';
import { applyMetadata, applyXattrs, type Owner, ownerOf } from './metadata.ts';
import { cleanName } from './names.ts';
import { NodeMaker } from './node-maker.ts';
import { type WhiteoutForm, Whiteouts } from './whiteouts.ts';

export interface ExtractorOptions {
  /** Where in the thread's root the archive's names begin, without trailing slash; `''` for the root. */
  readonly base: ByteString;
  /** What `.wh.` names mean: nothing, overlayfs's form, or removing what is there. */
  readonly whiteouts: WhiteoutForm | 'none';
  /**
   * A parent directory without an entry of its own is made (0755, root's) or refused with code `needs-parent`: when a
   * layer is written apart from those below it, only they know what such a directory is.
   */
  readonly parents: 'make' | 'refuse';
  /** Leaves the directory it unpacks into as it is, also when the archive has an entry for it. */
  readonly keepRoot?: boolean;
  /** Refuses to put a directory where something else is, and the other way round (`docker cp`). */
  readonly keepKinds?: boolean;
  /** Overrides the owner of everything. */
  readonly owner?: Owner | undefined;
  /** Owners are those of a user namespace with these ids. */
  readonly ids?: IdMapping | undefined;
}

export interface ExtractResult {
  readonly entries: number;
  /** Extended attributes the file system would not take. */
  readonly skippedXattrs: number;
  /** Names that hide something of the layers below. */
  readonly whiteouts: number;
  /** True when the archive says what the root directory is like. */
  readonly hasRoot: boolean;
}

/**
 * Writes the members of an archive as files. Runs in a thread whose root is the target (`inRoot`): nothing here needs to
 * look out for symlinks leading away.
 *
 * Invariants:
 * - a file is always a new inode: what was at its name is removed first, never written through;
 * - order of metadata: owner, then mode (chown clears setuid), xattrs (chown clears capabilities), times;
 * - directories get their times at the end, when nothing more is put into them.
 */
export class Extractor implements TarSink {
  readonly #options: ExtractorOptions;
  readonly #nodes: NodeMaker;
  readonly #whiteouts: Whiteouts | undefined;
  readonly #directoryTimes = new Map<ByteString, bigint>();
  #entry: TarEntry | undefined;
  #name: ByteString = '';
  #fd = -1;
  #entries = 0;
  #skippedXattrs = 0;
  #whiteoutCount = 0;
  #hasRoot = false;

  constructor(options: ExtractorOptions) {
    this.#options = options;
    this.#nodes = new NodeMaker({ ...options, removed: (name) => this.#forgetTimes(name) });
    this.#whiteouts = options.whiteouts === 'none' ? undefined : new Whiteouts(options.whiteouts, this.#nodes);
  }

  entry(entry: TarEntry): void {
    this.#entry = undefined;
    // Volume labels and continued volumes are GNU's own records, not files.
    if (entry.type === 'other' && (entry.typeFlag === 'V' || entry.typeFlag === 'M')) return;
    const name = cleanName(entry.name);
    if (name === '' && this.#options.keepRoot && entry.type === 'directory') return;
    try {
      if (this.#whiteouts?.take(name)) {
        this.#whiteoutCount++;
        return;
      }
      this.#entries++;
      if (name === '') this.#hasRoot = true;
      this.#name = name;
      this.#make(name, entry);
      this.#whiteouts?.unpacked(name);
    } catch (error) {
      throw unpackError(entry.name, error);
    }
  }

  data(chunk: Buffer, position: number): void {
    if (this.#entry === undefined || this.#fd < 0) return;
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(this.#fd, chunk, at, chunk.length - at, position + at);
    } catch (error) {
      throw unpackError(this.#entry.name, error);
    }
  }

  end(): void {
    const entry = this.#entry;
    const fd = this.#fd;
    if (entry === undefined || fd < 0) return;
    try {
      if (entry.extents) ftruncateSync(fd, entry.sizeBytes);
      const { uid, gid } = ownerOf(entry, this.#options.owner, this.#options.ids);
      fchownSync(fd, uid, gid);
      fchmodSync(fd, entry.mode);
      const path = fsPath(this.#path(this.#name));
      this.#skippedXattrs += applyXattrs(path, entry.xattrs);
      lutimesNs(path, { atimeNs: entry.mtimeNs, mtimeNs: entry.mtimeNs });
    } catch (error) {
      throw unpackError(entry.name, error);
    }
    this.#close();
  }

  /** Sets the directories' times. To be called once, after the last entry. */
  finish(): ExtractResult {
    for (const [name, mtimeNs] of [...this.#directoryTimes].reverse()) {
      try {
        lutimesNs(fsPath(this.#path(name)), { atimeNs: mtimeNs, mtimeNs });
      } catch (error) {
        throw unpackError(name, error);
      }
    }
    return {
      entries: this.#entries,
      skippedXattrs: this.#skippedXattrs,
      hasRoot: this.#hasRoot,
      whiteouts: this.#whiteoutCount,
    };
  }

  /** After a failure: a file that has not come whole is taken away again. */
  dispose(): void {
    if (this.#fd >= 0) rmSync(fsPath(this.#path(this.#name)), { force: true });
    this.#close();
  }

  #make(name: ByteString, entry: TarEntry): void {
    if (entry.type === 'file') {
      const flags = O.CREAT | O.EXCL | O.WRONLY | O.NOFOLLOW;
      this.#fd = this.#nodes.make(name, entry, (path) => openSync(path, flags, 0o600));
      this.#entry = entry;
      return;
    }
    if (entry.type === 'link') {
      this.#nodes.link(name, entry);
      return;
    }
    const path = this.#nodes.makeSpecial(name, entry);
    this.#skippedXattrs += applyMetadata(path, entry, ownerOf(entry, this.#options.owner, this.#options.ids));
    if (entry.type === 'directory') this.#directoryTimes.set(name, entry.mtimeNs);
    else lutimesNs(path, { atimeNs: entry.mtimeNs, mtimeNs: entry.mtimeNs });
  }

  #path(name: ByteString): ByteString {
    return `${this.#options.base}/${name}`;
  }

  /** What is removed, or replaced by something else, gets no directory time any more; nor does what was in it. */
  #forgetTimes(name: ByteString): void {
    for (const known of this.#directoryTimes.keys()) {
      if (known === name || known.startsWith(`${name}/`)) this.#directoryTimes.delete(known);
    }
  }

  #close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    this.#entry = undefined;
  }
}
