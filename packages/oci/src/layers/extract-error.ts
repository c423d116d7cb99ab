import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import { type ByteString, toText } from '../tar/bytes.ts';

/** What the file system says about a name or a structure that only a broken archive can have. */
const ARCHIVE_FAULTS = [
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EINVAL',
  'EEXIST',
  'ENOENT',
  'ERANGE',
  'E2BIG',
  'EMLINK',
  'EFBIG',
];

const reasons: Readonly<Record<string, string>> = {
  ENOTDIR: 'a part of its path is not a directory',
  ELOOP: 'its path goes in circles',
  ENAMETOOLONG: 'its name is too long',
  ENOENT: 'what it links to is missing',
};

/** The error for an entry that cannot be written, by what the file system said. */
export function unpackError(name: ByteString, cause: unknown): WharfError {
  if (cause instanceof WharfError) return cause;
  const subject = `Cannot unpack ${JSON.stringify(toText(name))}`;
  if (hasErrno(cause, 'ENOSPC', 'EDQUOT')) {
    return new WharfError('resource-exhausted', `${subject}: no space left on device`, { cause, code: 'ENOSPC' });
  }
  if (hasErrno(cause, 'EROFS')) {
    return new WharfError('failed-precondition', `${subject}: the file system is read-only`, { cause, code: 'EROFS' });
  }
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
  const kind = hasErrno(cause, ...ARCHIVE_FAULTS) || code.startsWith('ERR_') ? 'data-loss' : 'internal';
  return new WharfError(kind, `${subject}: ${reasons[code] ?? messageOf(cause)}`, { cause, code });
}
