import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';

/**
 * Makes a directory and those above it. Throws the kernel's own error: `mkdirSync` with `recursive` says ENOENT for a read-only filesystem,
 * and never returns below /proc.
 */
export function makeRoot(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (hasErrno(error, 'ENOENT') && dirname(path) !== path && !isDirectory(dirname(path))) {
      makeRoot(dirname(path), 0o755);
      mkdirSync(path, { mode });
      return;
    }
    if (isDirectory(path)) return;
    if (hasErrno(error, 'EEXIST', 'ENOTDIR')) {
      throw new WharfError('invalid-argument', `Cannot use directory "${path}": a file is in its place`, {
        cause: error,
      });
    }
    throw error;
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
