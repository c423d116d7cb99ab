import { WharfError } from '@wharf/kit';

/** What mends the system errors that a start most often meets. */
const HINTS: Readonly<Record<string, string>> = {
  EROFS: 'Mount the filesystem writable, or choose another --data-root and --exec-root',
  EACCES: 'Start the daemon as root',
  EPERM: 'Start the daemon as root',
  ENOSPC: 'Free some space there, or choose another --data-root',
  EDQUOT: 'Free some space there, or choose another --data-root',
  EMFILE: 'Raise the limit of open files: ulimit -n 65536',
};

/**
 * What to tell about a start that failed for a reason outside of the program: a refusal of our own, a system call's error, the database's.
 * `undefined` for everything else, which is a bug.
 */
export function startFailure(error: unknown): WharfError | undefined {
  // The clean-up failed too; why it came to that is what counts.
  if (error instanceof SuppressedError) return startFailure(error.suppressed);
  if (error instanceof WharfError) return error;
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return undefined;
  if (!/^(E[A-Z0-9]+|ERR_SQLITE_ERROR)$/.test(error.code)) return undefined;
  const hint = HINTS[error.code];
  return new WharfError('failed-precondition', `Cannot start the daemon: ${error.message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
