import { hasErrno, messageOf, WharfError } from '@wharf/kit';

/** What a failed file operation means for a request. */
export function storageFailure(what: string, error: unknown): WharfError {
  if (error instanceof WharfError) return error;
  if (hasErrno(error, 'ENOSPC', 'EDQUOT', 'EFBIG'))
    return new WharfError('resource-exhausted', `Cannot ${what}: no space left on device`, { cause: error });
  if (hasErrno(error, 'EMFILE', 'ENFILE'))
    return new WharfError('unavailable', `Cannot ${what}: too many open files`, { cause: error });
  return new WharfError('internal', `Cannot ${what}: ${messageOf(error)}`, { cause: error });
}
