import { closeSync, openSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { O } from './constants.ts';
import { ERRNO, SystemError } from './errno.ts';
import { bind, check, lastErrno } from './ffi.ts';
import { SEQPACKET_BATCH, SEQPACKET_MAX_BYTES } from './limits.ts';
import { liftDescriptor } from './low-descriptors.ts';
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
const cRecv = bind<(fd: number, buffer: Buffer, size: number, flags: number) => number>('recv', 'int64_t', [
  'int',
  'void *',
  'size_t',
  'int',
]);
const cSend = bind<(fd: number, buffer: Buffer, size: number, flags: number) => number>('send', 'int64_t', [
  'int',
  'void *',
  'size_t',
  'int',
]);
const cShutdown = bind<(fd: number, how: number) => number>('shutdown', 'int', ['int', 'int']);

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const SUN_PATH_BYTES = 108;

const receiveBuffer = Buffer.alloc(SEQPACKET_MAX_BYTES);
const nothing = (): void => {};

/**
 * The client end of a unix SOCK_SEQPACKET connection (which node:net cannot open): packets keep their borders.
 *
 * - Packets are read only once `onPacket` is set, and not while paused: a slow consumer holds the peer back.
 * - `onEnd` is called once, after the last packet: the peer closed, or the connection failed.
 * - Nothing is called after `close()`.
 */
export class SeqpacketClient {
  readonly #fd: number;
  readonly #watch: FdWatch;
  #packet: ((packet: Buffer) => void) | undefined;
  #end: () => void = nothing;
  #drain: () => void = nothing;
  #paused = false;
  #blocked = false;
  #ended = false;
  #closed = false;

  private constructor(fd: number) {
    this.#fd = fd;
    this.#watch = watchFd(fd, {}, (events) => this.#ready(events));
  }

  /** Connects at once (a unix socket never waits unless its backlog is full: EAGAIN). Paths may be of any length. */
  static connect(path: string): SeqpacketClient {
    const fd = check(cSocket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), 'socket');
    try {
      connectTo(fd, path);
      return new SeqpacketClient(liftDescriptor(fd));
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** The packet is the callback's until it returns; its memory is used again for the next. */
  onPacket(callback: (packet: Buffer) => void): void {
    this.#packet = callback;
    this.#update();
  }

  onEnd(callback: () => void): void {
    this.#end = callback;
  }

  /** Called when a packet that `send` refused may be tried again. */
  onDrain(callback: () => void): void {
    this.#drain = callback;
  }

  /**
   * Sends one packet. False: nothing was sent since the peer does not keep up; send it again after `onDrain`.
   * Throws EPIPE or ECONNRESET when the peer is gone, EMSGSIZE when the packet is larger than the socket's buffer.
   */
  send(packet: Buffer): boolean {
    if (this.#closed) throw new SystemError(ERRNO.EPIPE, 'send');
    const sent = cSend(this.#fd, packet, packet.length, MSG_NOSIGNAL);
    if (sent >= 0) return true;
    const errno = lastErrno();
    if (errno !== ERRNO.EAGAIN && errno !== ERRNO.ENOBUFS) throw new SystemError(errno, 'send');
    this.#blocked = true;
    this.#update();
    return false;
  }

  pause(): void {
    this.#paused = true;
    this.#update();
  }

  resume(): void {
    this.#paused = false;
    this.#update();
  }

  /** Tells the peer that nothing more will come; packets from it still do. */
  shutdownWrite(): void {
    const SHUT_WR = 1;
    if (!this.#closed) cShutdown(this.#fd, SHUT_WR);
  }

  /** Drops the connection. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    closeSync(this.#fd);
  }

  #update(): void {
    if (this.#closed) return;
    this.#watch.update({
      readable: this.#packet !== undefined && !this.#paused && !this.#ended,
      writable: this.#blocked,
    });
  }

  #ready(events: { readonly readable: boolean; readonly writable: boolean }): void {
    if (events.writable && this.#blocked) {
      this.#blocked = false;
      this.#update();
      this.#drain();
    }
    if (events.readable) this.#read();
  }

  #read(): void {
    for (let count = 0; count < SEQPACKET_BATCH; count++) {
      if (this.#closed || this.#paused || this.#ended || this.#packet === undefined) return;
      const size = cRecv(this.#fd, receiveBuffer, receiveBuffer.length, 0);
      if (size <= 0) {
        const errno = size < 0 ? lastErrno() : 0;
        if (errno === ERRNO.EAGAIN || errno === ERRNO.EINTR) return;
        // The peer closed with packets of ours unread (unix_release_sock): reported once, before what it had sent.
        if (errno === ERRNO.ECONNRESET) continue;
        this.#ended = true;
        this.#update();
        this.#end();
        return;
      }
      this.#packet(receiveBuffer.subarray(0, size));
    }
  }
}

function connectTo(fd: number, path: string): void {
  if (Buffer.byteLength(path) < SUN_PATH_BYTES) {
    connectShort(fd, path, path);
    return;
  }
  // unix(7): sun_path holds 107 bytes; the directory's descriptor stands in for a longer one.
  const directory = openSync(dirname(path), O.PATH | O.DIRECTORY | O.CLOEXEC);
  try {
    connectShort(fd, `/proc/self/fd/${directory}/${basename(path)}`, path);
  } finally {
    closeSync(directory);
  }
}

function connectShort(fd: number, path: string, shown: string): void {
  const address = Buffer.alloc(2 + SUN_PATH_BYTES);
  address.writeUInt16LE(AF_UNIX, 0);
  if (address.write(path, 2) !== Buffer.byteLength(path)) throw new SystemError(ERRNO.ENAMETOOLONG, 'connect', shown);
  check(cConnect(fd, address, 2 + Buffer.byteLength(path) + 1), 'connect', shown);
}
