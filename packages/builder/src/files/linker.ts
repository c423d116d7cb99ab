import { linkSync } from 'node:fs';
import { hasErrno } from '@wharf/kit';
import { type FileStatus, llistxattr, lstatNs } from '@wharf/linux/fsx';
import { TakenFiles } from '@wharf/oci/snapshots/taken-files';
import { type ByteString, fsPath, toBytes } from '@wharf/oci/tar/bytes';
import { type Place, sharedPath, sourceRoot, TARGET_ROOT, type TargetPlace } from './places.ts';

/**
 * Lets a layer have a context's files without copying them: both keep the same inode, which nobody ever writes to. A context's files
 * are only replaced, and those of a committed layer never change.
 *
 * Invariant: a layer and those below it have every inode once, since several names of one would be hard links to who unpacks it or
 * looks at all of them together.
 */
export class Linker {
  readonly #target: ByteString | undefined;
  readonly #sources: readonly { readonly at: ByteString | undefined; readonly place: Place }[];
  readonly #linked = new Set<string>();
  readonly #below: TakenFiles;

  constructor(target: TargetPlace, sources: readonly Place[]) {
    const at = (directory: string): ByteString | undefined => {
      const path = sharedPath(target.shared, directory);
      return path === undefined ? undefined : toBytes(path);
    };
    this.#target = at(target.directory);
    this.#below = new TakenFiles(target.linked.flatMap((directory) => at(directory) ?? []));
    this.#sources = sources.map((place) => ({
      at: place.directory === undefined ? undefined : at(place.directory),
      place,
    }));
  }

  /** True when the layer has got files of others. */
  get hasLinked(): boolean {
    return this.#linked.size > 0;
  }

  /** How to link files of a source; `undefined` where that cannot be. */
  linkFrom(number: number): ((path: ByteString, status: FileStatus, target: ByteString) => boolean) | undefined {
    const { at: from, place } = this.#sources[number] ?? {};
    const to = this.#target;
    if (from === undefined || to === undefined) return undefined;
    const rootLength = sourceRoot(number).length;
    return (path, { dev, ino }, target) => {
      // An index has inode numbers of its own. One place may be there as several sources.
      const key = `${place?.index ?? ''}:${dev}:${ino}`;
      if (this.#linked.has(key)) return false;
      if (place?.index === undefined && llistxattr(fsPath(path)).some(isForeign)) return false;
      if (this.#isBelow(path)) return false;
      try {
        linkSync(fsPath(from + path.slice(rootLength)), fsPath(to + target.slice(TARGET_ROOT.length)));
      } catch (error) {
        // Another file system, too many names, or one that has no links.
        if (hasErrno(error, 'EXDEV', 'EMLINK', 'EPERM', 'ENOTSUP', 'EOPNOTSUPP')) return false;
        throw error;
      }
      this.#linked.add(key);
      return true;
    };
  }

  /** What an index says of a file is not what the disk has. */
  #isBelow(path: ByteString): boolean {
    return this.#below.isNeeded && this.#below.has(lstatNs(fsPath(path)));
  }
}

/** What is not copied must not come in by a link. */
function isForeign(name: string): boolean {
  return name.startsWith('trusted.overlay.');
}
