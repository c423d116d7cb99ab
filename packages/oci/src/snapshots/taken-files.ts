import type { FileStatus } from '@wharf/linux/fsx';
import { isDirectory, namesIn, statusOf } from '../layers/walk.ts';
import type { ByteString } from '../tar/bytes.ts';
import { MAX_LOOKED_AT } from './limits.ts';

/**
 * Which files layers have that could have further names elsewhere. A tree of several layers must have every inode once: in a container
 * or an export of it, two names of one would be hard links that nobody made.
 *
 * All directories are to be on one file system. They are read when that first matters.
 */
export class TakenFiles {
  readonly #directories: readonly ByteString[];
  readonly #limit: number;
  #inodes: ReadonlySet<number> | 'too many' | undefined;

  constructor(directories: readonly ByteString[], limit = MAX_LOOKED_AT) {
    this.#directories = directories;
    this.#limit = limit;
  }

  /** False when there are no layers, so that nothing need be asked. */
  get isNeeded(): boolean {
    return this.#directories.length > 0;
  }

  /** True when a layer has the file, and for every file that may be there when they have too many to look at. */
  has({ ino, nlink }: Pick<FileStatus, 'ino' | 'nlink'>): boolean {
    // Most files of most builds: nothing else has them.
    if (nlink < 2 || !this.isNeeded) return false;
    this.#inodes ??= this.#read();
    return this.#inodes === 'too many' || this.#inodes.has(ino);
  }

  #read(): ReadonlySet<number> | 'too many' {
    const inodes = new Set<number>();
    const open = [...this.#directories];
    let met = 0;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const name of namesIn(at)) {
        met += 1;
        if (met > this.#limit) return 'too many';
        const path = `${at}/${name}`;
        const status = statusOf(path);
        if (status === undefined) continue;
        if (isDirectory(status)) open.push(path);
        else if (status.nlink > 1) inodes.add(status.ino);
      }
    }
    return inodes;
  }
}
