import { posix, resolve } from 'node:path';
import { posixClean } from '../values/devices.ts';

/**
 * Paths as `docker cp` reads them: what they end in says what is meant. `dir` is the directory itself, `dir/` says that it must be one,
 * `dir/.` is what is in it.
 */

/** One side of a copy; without `container` it is here. */
export interface Side {
  readonly container: string | undefined;
  readonly path: string;
}

/** Reads `container:path` or a path; `./a:b` and `/a:b` are paths. */
export function parseSide(text: string): Side {
  const colon = text.indexOf(':');
  if (text.startsWith('/') || colon < 0 || text.startsWith('.')) return { container: undefined, path: text };
  return { container: text.slice(0, colon), path: text.slice(colon + 1) };
}

export function endsInDot(path: string): boolean {
  return posix.basename(path) === '.';
}

function endsInSlash(path: string): boolean {
  return path.endsWith('/');
}

/** Says that it is a directory. */
export function assertsDirectory(path: string): boolean {
  return endsInSlash(path) || endsInDot(path);
}

/** A path here, absolute and clean, with the end it had. */
export function localPath(path: string): string {
  return withEndOf(resolve(path), path);
}

function withEndOf(clean: string, original: string): string {
  const dotted = !endsInDot(clean) && endsInDot(original) ? `${endsInSlash(clean) ? clean : `${clean}/`}.` : clean;
  return !endsInSlash(dotted) && endsInSlash(original) ? `${dotted}/` : dotted;
}

/** The directory that something is in, and its name there; `.` for what is in a directory. */
export function splitEntry(path: string): { readonly directory: string; readonly base: string } {
  const clean = posixClean(path) + (endsInDot(path) ? '/.' : '');
  const at = clean.lastIndexOf('/');
  const directory = at < 0 ? '.' : posixClean(clean.slice(0, at) || '/');
  return { directory, base: at < 0 ? clean : clean.slice(at + 1) || '/' };
}

/** Where a link leads, with the end of the link's path, and the name to copy it under where that is another. */
export function followedPath(path: string, target: string): { readonly path: string; readonly rebase: string } {
  const followed = withEndOf(target, path);
  const [wanted, found] = [goBase(path), goBase(followed)];
  return { path: followed, rebase: wanted === found ? '' : wanted };
}

/** Go's filepath.Base. */
function goBase(path: string): string {
  return posix.basename(path) || '/';
}
