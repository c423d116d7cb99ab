import { constants } from 'node:os';

const names = new Map<number, string>();
for (const [name, value] of Object.entries(constants.errno)) {
  // EAGAIN and EWOULDBLOCK, ENOTSUP and EOPNOTSUPP share a number: the first of each is the one Node uses.
  if (!names.has(value)) names.set(value, name);
}

/** The numbers of the errors that this package tells apart. */
export const ERRNO: Readonly<typeof constants.errno> = constants.errno;

/** The symbolic name of an errno (`ENOENT`), or `E<number>` for one this Node has no name for. */
export function errnoName(errno: number): string {
  return names.get(errno) ?? `E${errno}`;
}

/**
 * A failed system call, in the shape of Node's own: `code` is the symbolic name, `errno` positive.
 * Test it with `hasErrno()` of `@wharf/kit`.
 */
export class SystemError extends Error {
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;

  constructor(errno: number, syscall: string, what?: string | Buffer, detail?: string) {
    const code = errnoName(errno);
    const subject = what === undefined ? '' : ` "${what.toString().replace(/\0$/, '')}"`;
    super(`Cannot ${syscall}${subject}: ${detail === undefined || detail === '' ? code : `${detail} (${code})`}`);
    this.name = 'SystemError';
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
  }
}
