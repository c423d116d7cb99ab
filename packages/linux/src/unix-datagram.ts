import { closeSync } from 'node:fs';
import { ERRNO, SystemError } from './errno.ts';
import { bind, check, lastErrno } from './ffi.ts';
import { type FdWatch, watchFd } from './poll.ts';

const cSocket = bind<(domain: number, type: number, protocol: number) => number>('socket', 'int', [
  'int',
  'int',
  'int',
]);
const cConnect = bind<(fd: number, address: Buffer, size: number) => number>('connect', 'int', [
  'int',
  'void *',
  'uint',
]);
const cSend = bind<(fd: number, buffer: Buffer, size: number, flags: number) => number>('send', 'int64_t', [
  'int',
  'void *',
  'size_t',
  'int',
]);

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const SUN_PATH_BYTES = 108;

/** A sender to a unix datagram socket (syslog's and journald's), which node:dgram cannot open. */
export class UnixDatagram {
  readonly #fd: number;
  #watch: FdWatch | undefined;
  #closed = false;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Throws ENOENT or ECONNREFUSED when nobody listens, ENAMETOOLONG for a path above 107 bytes. */
  static connect(path: string): UnixDatagram {
    const size = Buffer.byteLength(path);
    if (size >= SUN_PATH_BYTES) throw new SystemError(ERRNO.ENAMETOOLONG, 'connect', path);
    const address = Buffer.alloc(2 + SUN_PATH_BYTES);
    address.writeUInt16LE(AF_UNIX, 0);
    address.write(path, 2);
    const fd = check(cSocket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket');
    try {
      check(cConnect(fd, address, 2 + size + 1), 'connect', path);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
    return new UnixDatagram(fd);
  }

  /** Sends one datagram whole; waits while the receiver's queue is full. Throws ECONNREFUSED when it is gone. */
  async send(datagram: Buffer): Promise<void> {
    while (!this.#try(datagram)) await this.#writable();
  }

  /** Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch?.close();
    closeSync(this.#fd);
  }

  #try(datagram: Buffer): boolean {
    if (this.#closed) throw new SystemError(ERRNO.EPIPE, 'send');
    if (cSend(this.#fd, datagram, datagram.length, MSG_NOSIGNAL) >= 0) return true;
    const errno = lastErrno();
    if (errno === ERRNO.EAGAIN || errno === ERRNO.ENOBUFS) return false;
    throw new SystemError(errno, 'send');
  }

  #writable(): Promise<void> {
    return new Promise((resolve) => {
      this.#watch?.close();
      this.#watch = watchFd(this.#fd, { writable: true }, () => {
        this.#watch?.close();
        this.#watch = undefined;
        resolve();
      });
    });
  }
}
