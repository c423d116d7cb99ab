import { closeSync, readSync, writeSync } from 'node:fs';
import { hasErrno } from '@wharf/kit';
import { type FdWatch, watchFd } from '@wharf/linux/poll';
import { setNonblocking } from '@wharf/linux/spawn';
import { PIPE_READ_BYTES } from './limits.ts';
import type { MonitorSocket } from './monitor-socket.ts';

/** Our ends of a process's stdio. `stdin` is absent where it reads nothing. */
export interface StdioEnds {
  readonly stdin: number | undefined;
  readonly stdout: number;
  readonly stderr: number;
}

const STDOUT = 2;
const STDERR = 3;

/**
 * The pipes of a process that no monitor stands before, in a monitor's manner: packets begin with the number of their stream. Owns the
 * descriptors.
 *
 * - An end of file on both outputs is no end yet: the process may have closed them and go on. `finish()` says that it is over.
 * - `send` takes a packet whole: what the pipe does not take at once is kept, and the next packet refused until it has gone.
 */
export class StdioPipes implements MonitorSocket {
  readonly #readers: readonly Reader[];
  #stdin: Writer | undefined;
  #packet: ((packet: Buffer) => void) | undefined;
  #end: () => void = () => undefined;
  #drain: () => void = () => undefined;
  #closed = false;

  constructor(ends: StdioEnds) {
    const take = (packet: Buffer): void => this.#packet?.(packet);
    this.#readers = [new Reader(ends.stdout, STDOUT, take), new Reader(ends.stderr, STDERR, take)];
    if (ends.stdin !== undefined) this.#stdin = new Writer(ends.stdin, () => this.#drain());
  }

  onPacket(callback: (packet: Buffer) => void): void {
    this.#packet = callback;
    this.resume();
  }

  onEnd(callback: () => void): void {
    this.#end = callback;
  }

  onDrain(callback: () => void): void {
    this.#drain = callback;
  }

  send(packet: Buffer): boolean {
    return this.#stdin?.send(packet) ?? true;
  }

  pause(): void {
    for (const reader of this.#readers) reader.pause();
  }

  resume(): void {
    if (this.#closed || this.#packet === undefined) return;
    for (const reader of this.#readers) reader.resume();
  }

  shutdownWrite(): void {
    this.#stdin?.end();
  }

  /** The process has ended: hands on what it left in its pipes, whoever else may hold them open, and ends. */
  finish(): void {
    if (this.#closed) return;
    for (const reader of this.#readers) reader.drain();
    this.close();
    this.#end();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const reader of this.#readers) reader.close();
    this.#stdin?.close();
  }
}

class Reader {
  readonly #fd: number;
  readonly #stream: number;
  readonly #take: (packet: Buffer) => void;
  readonly #watch: FdWatch;
  #ended = false;
  #closed = false;

  constructor(fd: number, stream: number, take: (packet: Buffer) => void) {
    this.#fd = fd;
    this.#stream = stream;
    this.#take = take;
    setNonblocking(fd);
    this.#watch = watchFd(fd, {}, () => {
      this.#read();
    });
  }

  pause(): void {
    this.#watch.update({ readable: false });
  }

  resume(): void {
    this.#watch.update({ readable: !this.#ended });
  }

  drain(): void {
    while (!this.#ended && this.#read());
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#watch.close();
    closeSync(this.#fd);
  }

  /** False when there is nothing for now. */
  #read(): boolean {
    if (this.#closed || this.#ended) return false;
    const packet = Buffer.allocUnsafeSlow(PIPE_READ_BYTES);
    let size: number;
    try {
      size = readSync(this.#fd, packet, 1, PIPE_READ_BYTES - 1, null);
    } catch (error) {
      if (hasErrno(error, 'EAGAIN')) return false;
      throw error;
    }
    if (size === 0) {
      this.#ended = true;
      this.#watch.update({});
      return false;
    }
    packet[0] = this.#stream;
    this.#take(packet.subarray(0, size + 1));
    return true;
  }
}

class Writer {
  readonly #fd: number;
  readonly #watch: FdWatch;
  #rest: Buffer | undefined;
  #ending = false;
  #closed = false;

  constructor(fd: number, onDrain: () => void) {
    this.#fd = fd;
    setNonblocking(fd);
    this.#watch = watchFd(fd, {}, () => {
      if (!this.#flush()) return;
      this.#watch.update({});
      if (this.#ending) this.close();
      else onDrain();
    });
  }

  send(packet: Buffer): boolean {
    if (this.#closed || this.#ending) return true;
    if (this.#rest !== undefined) return false;
    this.#rest = packet;
    if (!this.#flush()) this.#watch.update({ writable: true });
    return true;
  }

  end(): void {
    this.#ending = true;
    if (this.#rest === undefined) this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#rest = undefined;
    this.#watch.close();
    closeSync(this.#fd);
  }

  /** True when nothing is left to write. */
  #flush(): boolean {
    while (this.#rest !== undefined && this.#rest.length > 0) {
      try {
        this.#rest = this.#rest.subarray(writeSync(this.#fd, this.#rest));
      } catch (error) {
        if (hasErrno(error, 'EAGAIN')) return false;
        // Nobody reads any more: what is left is for nobody.
        if (!hasErrno(error, 'EPIPE')) throw error;
        this.#rest = undefined;
      }
    }
    this.#rest = undefined;
    return true;
  }
}
