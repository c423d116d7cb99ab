import { closeSync, constants, mkdirSync, openSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit/errors';
import { type ByteString, fsPath, toBytes, toText } from '@wharf/oci/tar/bytes';

const DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW;

/**
 * A directory here and what is below it, for an archive that nobody vouches for.
 *
 * - Every step down is made from the directory above it, which is held open, and no step follows a symbolic link: neither a link that the
 *   archive brought nor one that somebody puts there meanwhile leads out of the tree.
 * - Paths that it gives out are good until the next call.
 */
export class HostTree implements Disposable {
  /** As messages show it. */
  readonly path: string;
  readonly #root: number;
  /** The directories that are open below the root, outermost first. */
  readonly #open: { readonly name: ByteString; readonly fd: number }[] = [];

  constructor(path: string) {
    this.path = path;
    this.#root = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** Where an entry is to be, by names from the root down; directories that are missing on the way are made. */
  place(names: readonly ByteString[]): ReturnType<typeof fsPath> {
    const parents = names.slice(0, -1);
    let same = 0;
    while (same < parents.length && this.#open[same]?.name === parents[same]) same += 1;
    for (const { fd } of this.#open.splice(same)) closeSync(fd);
    for (const name of parents.slice(same)) this.#open.push({ name, fd: this.#descend(name, names) });
    return fsPath(`${this.#here()}/${names.at(-1) ?? ''}`);
  }

  #here(): ByteString {
    return toBytes(`/proc/self/fd/${this.#open.at(-1)?.fd ?? this.#root}`);
  }

  #descend(name: ByteString, names: readonly ByteString[]): number {
    const path = fsPath(`${this.#here()}/${name}`);
    for (const isMade of [false, true]) {
      try {
        return openSync(path, DIRECTORY);
      } catch (error) {
        if (hasErrno(error, 'ENOENT') && !isMade) mkdirSync(path, 0o755);
        else if (hasErrno(error, 'ELOOP', 'ENOTDIR')) {
          const what = `Cannot unpack "${toText(names.join('/'))}" into "${this.path}"`;
          throw new WharfError('failed-precondition', `${what}: "${toText(name)}" is no directory`, { cause: error });
        } else throw error;
      }
    }
    throw new WharfError('aborted', `Cannot unpack into "${this.path}": directories vanish as they are made`);
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#open.splice(0)) closeSync(fd);
    closeSync(this.#root);
  }
}
