import { WharfError } from '@wharf/kit/errors';
import { toBytes } from '@wharf/oci/tar/bytes';
import { assertsDirectory, splitEntry } from './paths.ts';

/** What is known of one end of a copy. */
export interface Place {
  readonly path: string;
  readonly exists: boolean;
  readonly isDirectory: boolean;
  /** The name that the user gave, where a link led elsewhere. */
  readonly rebase?: string;
}

export interface CopyPlan {
  /** Where the archive is unpacked. */
  readonly directory: string;
  /** The archive's first element gets another name. */
  readonly rename?: { readonly from: string; readonly to: string } | undefined;
}

/** Where what is copied goes and under which name, by docker's rules. Throws in docker's words. */
export function planCopy(source: Place, destination: Place): CopyPlan {
  if (destination.exists && destination.isDirectory) return { directory: destination.path };
  if (destination.exists && source.isDirectory) throw new WharfError('invalid-argument', 'cannot copy directory');
  if (!destination.exists && !source.isDirectory && assertsDirectory(destination.path)) {
    throw new WharfError('invalid-argument', 'no such directory');
  }
  const { directory, base: to } = splitEntry(destination.path);
  return { directory, rename: { from: source.rebase || splitEntry(source.path).base, to } };
}

/** The name of an archive's entry after its first element was renamed. */
export function renamed(name: string, rename: CopyPlan['rename']): string {
  if (rename === undefined) return name;
  const { from, to } = rename;
  if (from === '/') return name.startsWith('/') || name === '' ? to + name : `${to}/${name}`;
  return name === from || name.startsWith(`${from}/`) ? to + name.slice(from.length) : name;
}

/** The renaming in the form that names in archives have. */
export function renameBytes(rename: CopyPlan['rename']): CopyPlan['rename'] {
  return rename === undefined ? undefined : { from: toBytes(rename.from), to: toBytes(rename.to) };
}
