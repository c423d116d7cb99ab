import { ERRNO, SystemError } from './errno.ts';
import { bind, check, lastErrno, type PathArg, pathArg } from './ffi.ts';
import { XATTR_MAX_BYTES } from './limits.ts';

const cSet = bind<(path: PathArg, name: string, value: Buffer, size: number, flags: number) => number>(
  'lsetxattr',
  'int',
  ['str', 'str', 'void *', 'size_t', 'int'],
);
const cGet = bind<(path: PathArg, name: string, value: Buffer, size: number) => number>('lgetxattr', 'int64_t', [
  'str',
  'str',
  'void *',
  'size_t',
]);
const cList = bind<(path: PathArg, list: Buffer, size: number) => number>('llistxattr', 'int64_t', [
  'str',
  'void *',
  'size_t',
]);
const cRemove = bind<(path: PathArg, name: string) => number>('lremovexattr', 'int', ['str', 'str']);

// One scratch buffer per thread: these calls are synchronous and copy out what they found.
let scratch: Buffer | undefined;

/** Sets an extended attribute of the file itself (a last symlink is not followed). */
export function lsetxattr(path: PathArg, name: string, value: Buffer): void {
  check(cSet(pathArg(path), name, value, value.length, 0), 'lsetxattr', path);
}

/** The value of an extended attribute, `undefined` when the file has none of that name or its filesystem none at all. */
export function lgetxattr(path: PathArg, name: string): Buffer | undefined {
  scratch ??= Buffer.alloc(XATTR_MAX_BYTES);
  const size = cGet(pathArg(path), name, scratch, scratch.length);
  if (size < 0) {
    const errno = lastErrno();
    if (errno === ERRNO.ENODATA || errno === ERRNO.EOPNOTSUPP) return undefined;
    throw new SystemError(errno, 'lgetxattr', path);
  }
  return Buffer.from(scratch.subarray(0, size));
}

/** The names of a file's extended attributes; none where the filesystem has no such thing. */
export function llistxattr(path: PathArg): string[] {
  scratch ??= Buffer.alloc(XATTR_MAX_BYTES);
  const size = cList(pathArg(path), scratch, scratch.length);
  if (size < 0) {
    const errno = lastErrno();
    if (errno === ERRNO.EOPNOTSUPP) return [];
    throw new SystemError(errno, 'llistxattr', path);
  }
  if (size === 0) return [];
  return scratch.toString('utf8', 0, size - 1).split('\0');
}

/** Removes an extended attribute. Throws ENODATA when there is none. */
export function lremovexattr(path: PathArg, name: string): void {
  check(cRemove(pathArg(path), name), 'lremovexattr', path);
}
