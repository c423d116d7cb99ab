import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
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

/**
 * Notes in the exec root whose containers run there. Throws `conflict` when there are some of another data root: this daemon knows none of
 * them and would end them as remains.
 */
export function claimExecRoot(execRoot: string, dataRoot: string): void {
  const note = join(execRoot, 'data-root');
  const own = realpathSync(dataRoot);
  const owner = existsSync(note) ? readFileSync(note, 'utf8').trim() : own;
  const containers = join(execRoot, 'containers');
  const inUse = existsSync(containers) && readdirSync(containers).length > 0;
  if (owner !== own && inUse && existsSync(join(owner, 'wharf.db'))) {
    throw new WharfError(
      'conflict',
      `Cannot use exec root "${execRoot}": containers of data root "${owner}" run there`,
      {
        hint: `Give this daemon an --exec-root of its own, or remove "${note}" to have those containers ended`,
      },
    );
  }
  writeFileSync(note, `${own}\n`);
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}
