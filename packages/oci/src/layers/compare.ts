import { readlinkSync } from 'node:fs';
import { type FileStatus, lgetxattr, S } from '@wharf/linux/fsx';
import { type ByteString, fsPath } from '../tar/bytes.ts';
import { isDirectory, namesIn, statusOf } from './walk.ts';
import { OPAQUE_XATTR } from './whiteout.ts';

/** One difference of a tree from the one below it. */
export interface Difference {
  readonly kind: 'modified' | 'added' | 'deleted';
  /** Below the root of both trees. */
  readonly name: ByteString;
  readonly path: ByteString;
  /** Undefined for what is deleted. */
  readonly status: FileStatus | undefined;
  /** A directory that shows nothing of the one below. */
  readonly isOpaque: boolean;
  /** A deletion that a directory's being opaque says already. */
  readonly isImplied: boolean;
}

export interface CompareOptions {
  /** `upper`: overlayfs's upper directory, whiteouts and all; `tree`: a whole tree. */
  readonly form: 'upper' | 'tree';
  readonly upper: ByteString;
  /** The tree below, merged; undefined for none. */
  readonly lower: ByteString | undefined;
  /**
   * Names that the engine makes as mount points in every container. Where nothing was below and nothing was put in, they
   * are no change.
   */
  readonly placeholders: ReadonlySet<ByteString>;
}

interface Visit {
  readonly name: ByteString;
  readonly status: FileStatus;
  readonly below: FileStatus | undefined;
}

/**
 * What distinguishes a tree from the one below it, directories before what is in them, in the order of their bytes. A
 * directory that is itself unchanged comes too when something in it comes. The root is not mentioned.
 */
export function* differences(options: CompareOptions): Generator<Difference, void, undefined> {
  const comparison = new Comparison(options);
  const status = statusOf(options.upper);
  if (!status) return;
  const below = options.lower === undefined ? undefined : statusOf(options.lower);
  yield* comparison.inside({ name: '', status, below });
}

class Comparison {
  readonly #options: CompareOptions;

  constructor(options: CompareOptions) {
    this.#options = options;
  }

  /** The differences in a directory. Returns true when a placeholder was left out, which changed the directory's time. */
  *inside(directory: Visit): Generator<Difference, boolean, undefined> {
    const names = namesIn(this.#upper(directory.name));
    const isBelow = directory.below !== undefined && isDirectory(directory.below);
    const isOpaque = this.#isOpaque(directory);
    if (isBelow && (isOpaque || this.#options.form === 'tree')) {
      const here = new Set(names);
      for (const name of namesIn(this.#lower(directory.name))) if (!here.has(name)) names.push(name);
      names.sort();
    }
    let hasPlaceholder = false;
    for (const each of names) {
      const name = directory.name === '' ? each : `${directory.name}/${each}`;
      const status = statusOf(this.#upper(name));
      // Through a symlink or a file below there is no way: what is here is new.
      const below = isBelow ? statusOf(this.#lower(name)) : undefined;
      if (!status) {
        if (below) yield this.#deleted(name, isOpaque);
      } else if (this.#options.form === 'upper' && isWhiteout(status)) {
        if (below) yield this.#deleted(name, isOpaque);
      } else if (isDirectory(status)) {
        if (yield* this.#directory({ name, status, below })) hasPlaceholder = true;
      } else if (!below && this.#isPlaceholder(name, status)) {
        hasPlaceholder = true;
      } else if (this.#options.form === 'upper' || !this.#isSame(name, status, below)) {
        yield this.#found({ name, status, below }, false);
      }
    }
    return hasPlaceholder;
  }

  /** A directory and what is in it. Returns true when it was a placeholder and left out. */
  *#directory(visit: Visit): Generator<Difference, boolean, undefined> {
    const { name, status, below } = visit;
    const isOpaque = this.#isOpaque(visit);
    const inner = this.inside(visit);
    let step = inner.next();
    const isEmpty = step.done === true;
    const hadPlaceholder = step.done === true && step.value;
    if (isEmpty && !below && this.#options.placeholders.has(name)) return true;
    const isChanged = !below || !isDirectory(below) || isOpaque || !sameOwner(status, below);
    // Where only mount points were put in, the new time is not the container's doing.
    const hasNewTime = below !== undefined && status.mtimeNs !== below.mtimeNs && !hadPlaceholder;
    if (!isEmpty || isChanged || hasNewTime) yield this.#found(visit, isOpaque);
    while (!step.done) {
      yield step.value;
      step = inner.next();
    }
    return false;
  }

  #isOpaque({ name, below }: Visit): boolean {
    if (this.#options.form !== 'upper' || !below || name === '') return false;
    return lgetxattr(fsPath(this.#upper(name)), OPAQUE_XATTR)?.toString() === 'y';
  }

  #isPlaceholder(name: ByteString, status: FileStatus): boolean {
    if (!this.#options.placeholders.has(name)) return false;
    const type = status.mode & S.IFMT;
    return (type === S.IFREG && status.size === 0) || (type === S.IFLNK && name === 'etc/mtab');
  }

  #isSame(name: ByteString, status: FileStatus, below: FileStatus | undefined): boolean {
    if (!below || !sameOwner(status, below) || status.size !== below.size || status.mtimeNs !== below.mtimeNs)
      return false;
    const [here, there] = [fsPath(this.#upper(name)), fsPath(this.#lower(name))];
    if ((status.mode & S.IFMT) === S.IFLNK) return readlinkSync(here) === readlinkSync(there);
    const capability = lgetxattr(here, 'security.capability');
    const before = lgetxattr(there, 'security.capability');
    return capability === undefined ? before === undefined : before?.equals(capability) === true;
  }

  #found({ name, status, below }: Visit, isOpaque: boolean): Difference {
    const kind = below ? 'modified' : 'added';
    return { kind, name, path: this.#upper(name), status, isOpaque, isImplied: false };
  }

  #deleted(name: ByteString, isImplied: boolean): Difference {
    return { kind: 'deleted', name, path: this.#upper(name), status: undefined, isOpaque: false, isImplied };
  }

  #upper(name: ByteString): ByteString {
    return `${this.#options.upper}/${name}`;
  }

  #lower(name: ByteString): ByteString {
    return `${this.#options.lower ?? ''}/${name}`;
  }
}

function isWhiteout(status: FileStatus): boolean {
  return (status.mode & S.IFMT) === S.IFCHR && status.rdevMajor === 0 && status.rdevMinor === 0;
}

function sameOwner(a: FileStatus, b: FileStatus): boolean {
  return (
    a.mode === b.mode &&
    a.uid === b.uid &&
    a.gid === b.gid &&
    a.rdevMajor === b.rdevMajor &&
    a.rdevMinor === b.rdevMinor
  );
}
