/** Pseudoterminals (pty(7)). */
import { closeSync, openSync } from 'node:fs';
import { O } from './constants.ts';
import { bind, check } from './ffi.ts';

const cIoctlBuffer = bind<(fd: number, request: number, argument: Buffer) => number>('ioctl', 'int', [
  'int',
  'unsigned long',
  'void *',
]);
const cIoctlNumber = bind<(fd: number, request: number, argument: number) => number>('ioctl', 'int', [
  'int',
  'unsigned long',
  'unsigned long',
]);

const TIOCSPTLCK = 0x40045431;
const TIOCGPTPEER = 0x5441;
const TIOCSWINSZ = 0x5414;

/** Both ends of a new terminal: what is written to one is read from the other. Both are the caller's to close. */
export function openPty(): { readonly master: number; readonly slave: number } {
  const master = openSync('/dev/ptmx', O.RDWR | O.NOCTTY | O.CLOEXEC);
  try {
    check(cIoctlBuffer(master, TIOCSPTLCK, Buffer.alloc(4)), 'ioctl TIOCSPTLCK');
    // By the master itself, so that it does not matter which devpts is mounted where.
    const slave = check(cIoctlNumber(master, TIOCGPTPEER, O.RDWR | O.NOCTTY | O.CLOEXEC), 'ioctl TIOCGPTPEER');
    return { master, slave };
  } catch (error) {
    closeSync(master);
    throw error;
  }
}

/** Tells a terminal how large its window is; who has it as a controlling terminal gets SIGWINCH. */
export function setWindowSize(
  fd: number,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): void {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows & 0xffff, 0);
  size.writeUInt16LE(columns & 0xffff, 2);
  check(cIoctlBuffer(fd, TIOCSWINSZ, size), 'ioctl TIOCSWINSZ');
}
