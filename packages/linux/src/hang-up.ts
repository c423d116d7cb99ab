import { endianness } from 'node:os';
import { bind, check } from './ffi.ts';

const cPoll = bind<(fds: Buffer, count: number, timeoutMs: number) => number>('poll', 'int', [
  'void *',
  'ulong',
  'int',
]);

const POLLERR = 0x008;
const POLLHUP = 0x010;

/**
 * True when nobody is left at the other end of a socket, as against one that has only ended its side, which reads the same: for a unix socket
 * that is closed, for TCP one that has reset the connection (poll(2)). Does not wait. Throws `SystemError`.
 */
export function hasHungUp(fd: number): boolean {
  // struct pollfd: int fd; short events; short revents. Longer than needed, so that it does not move.
  const entry = Buffer.alloc(128);
  if (endianness() === 'LE') entry.writeInt32LE(fd);
  else entry.writeInt32BE(fd);
  check(cPoll(entry, 1, 0), 'poll');
  const events = endianness() === 'LE' ? entry.readInt16LE(6) : entry.readInt16BE(6);
  return (events & (POLLERR | POLLHUP)) !== 0;
}
