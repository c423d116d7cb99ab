import { lstatSync, readlinkSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit/errors';
import { goFileError } from '../values/file-errors.ts';
import { endsInDot, followedPath, splitEntry } from './paths.ts';
import type { Place } from './plan.ts';

const MAX_LINKS = 10;

/** What is to be copied from here: links on the way are followed, one at the end only when asked for. Throws where there is nothing. */
export function localSource(path: string, followLink: boolean): Place {
  return named(path, () => {
    const { path: place, rebase } = followLink ? followedPath(path, withoutLinks(path)) : resolved(path);
    return { path: place, exists: true, isDirectory: lstatSync(place).isDirectory(), rebase };
  });
}

function resolved(path: string): { readonly path: string; readonly rebase: string } {
  const cut = path.lastIndexOf('/') + 1;
  const directory = withoutLinks(path.slice(0, cut) || '/');
  const place = `${directory === '/' ? '' : directory}/${path.slice(cut)}`;
  const isOther = path.endsWith('/') && basename(path) !== basename(place);
  return { path: place, rebase: isOther ? basename(path) : '' };
}

/** A path with all its links followed. */
function withoutLinks(path: string): string {
  try {
    const real = realpathSync(path);
    if (!path.endsWith('/') || statSync(real).isDirectory()) return real;
  } catch (error) {
    if (!hasErrno(error, 'ENOTDIR')) throw error;
  }
  throw new WharfError('invalid-argument', 'not a directory');
}

/** Where something is to be copied to here: a link is followed, and what it leads to may be missing, but not the directory of that. */
export function localDestination(path: string): Place {
  return named(path, () => {
    let place = path;
    for (let count = 0; ; count += 1) {
      const stats = lstatSync(place, { throwIfNoEntry: false });
      if (stats === undefined) {
        const parent = statSync(splitEntry(place).directory);
        if (!parent.isDirectory()) throw new WharfError('invalid-argument', 'not a directory');
        return { path: place, exists: false, isDirectory: false };
      }
      if (!stats.isSymbolicLink()) return { path: place, exists: true, isDirectory: stats.isDirectory() };
      if (count > MAX_LINKS) throw new WharfError('invalid-argument', `too many symlinks in ${path}`);
      place = resolve(splitEntry(place).directory, readlinkSync(place));
    }
  });
}

/** Refuses what nothing can be put into, as docker does before it asks the daemon. */
export function checkOutputPath(path: string): void {
  const directory = dirname(endsInDot(path) ? path.slice(0, -1) : path);
  if (statSync(directory, { throwIfNoEntry: false }) === undefined) {
    throw new WharfError(
      'invalid-argument',
      `invalid output path: directory ${JSON.stringify(directory)} does not exist`,
    );
  }
  const stats = named(path, () => statSync(path, { throwIfNoEntry: false }));
  if (stats?.isBlockDevice() === true || stats?.isCharacterDevice() === true) {
    const what = 'must be a directory or a regular file: got a device';
    throw new WharfError('invalid-argument', `invalid output path: ${JSON.stringify(path)} ${what}`);
  }
}

function named<Result>(path: string, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (error instanceof WharfError) throw error;
    throw new WharfError('not-found', goFileError(error, (error as NodeJS.ErrnoException).path ?? path), {
      cause: error,
    });
  }
}
