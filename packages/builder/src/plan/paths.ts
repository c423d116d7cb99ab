import { posix } from 'node:path';

/**
 * A path of an instruction as an absolute one of the image: relative to the working directory, `..` cut at the root. A slash at
 * the end stays, since it says that a directory is meant.
 */
export function absolute(workingDir: string, path: string): string {
  const wanted = path === '' || path === '.' ? './' : path;
  const joined = posix.resolve('/', workingDir, wanted);
  const isDirectory = /(^|\/)\.?$/.test(wanted) || wanted.endsWith('/');
  return isDirectory && joined !== '/' ? `${joined}/` : joined;
}

/** A source of COPY or ADD: below the context's root whatever it says. */
export function sourcePath(path: string): string {
  const cleaned = posix.resolve('/', path);
  return path.endsWith('/') && cleaned !== '/' ? `${cleaned}/` : cleaned;
}

/** True when a name holds one of Go's filepath.Match characters. */
export function hasWildcards(name: string): boolean {
  return /(^|[^\\])[*?[]/.test(name.replace(/\\\\/g, ''));
}
