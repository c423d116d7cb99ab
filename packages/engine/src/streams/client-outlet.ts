import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { BATCH_MAX_BYTES, BATCH_MIN_BYTES, LINGER_MS } from './limits.ts';

const HEADER_BYTES = 8;

export interface OutletOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Put stdcopy's header before each packet. */
  readonly framed: boolean;
}

/**
 * The output side of one client: packets are collected into batches, so that a burst is one write.
 *
 * - A frame is never split over two writes to the client by anything but this object: it is the only writer.
 * - `pendingBytes` is everything not yet taken by the kernel.
 */
export class ClientOutlet {
  readonly #client: Duplex;
  readonly #options: OutletOptions;
  #batch: Buffer | undefined;
  /** One that the kernel has taken, to be filled again: fresh memory for each costs more than what is put into it. */
  #spare: Buffer | undefined;
  #used = 0;
  #batchBytes = BATCH_MIN_BYTES;
  #finished: Promise<void> | undefined;
  /** Writes that the client has not taken yet. */
  #unsent = 0;
  #allSent: (() => void) | undefined;

  constructor(client: Duplex, options: OutletOptions) {
    this.#client = client;
    this.#options = options;
  }

  /** Takes output (unless both streams are unwanted). */
  get wantsOutput(): boolean {
    return this.#options.stdout || this.#options.stderr;
  }

  get pendingBytes(): number {
    return this.#client.writableLength + this.#used;
  }

  /** Adds the packet's bytes from `start` on; `stream` is 2 for stdout and 3 for stderr, conmon's numbers. */
  push(stream: 2 | 3, packet: Uint8Array, start: number): void {
    if (!(stream === 3 ? this.#options.stderr : this.#options.stdout)) return;
    const length = packet.length - start;
    const needed = length + (this.#options.framed ? HEADER_BYTES : 0);
    const batch = this.#room(needed);
    let at = this.#used;
    if (this.#options.framed) {
      // stdcopy: stream number, three zeros, length (big-endian).
      batch.writeUInt32BE((stream - 1) << 24, at);
      batch.writeUInt32BE(length, at + 4);
      at += HEADER_BYTES;
    }
    batch.set(start === 0 ? packet : packet.subarray(start), at);
    this.#used = at + length;
  }

  #room(needed: number): Buffer {
    if (this.#batch && this.#used + needed > this.#batch.length) {
      // A batch that filled up before its turn came: the process is busy, collect more at a time.
      this.#batchBytes = Math.min(this.#batchBytes * 4, BATCH_MAX_BYTES);
      this.flush();
    }
    if (this.#batch === undefined && this.#spare !== undefined && this.#spare.length >= needed) {
      this.#batch = this.#spare;
      this.#spare = undefined;
    }
    this.#batch ??= Buffer.allocUnsafeSlow(Math.max(this.#batchBytes, needed));
    return this.#batch;
  }

  /** Hands what was collected to the client. */
  flush(): void {
    const batch = this.#batch;
    if (!batch) return;
    const full = batch.subarray(0, this.#used);
    if (this.#used < this.#batchBytes / 4) this.#batchBytes = Math.max(this.#batchBytes / 2, BATCH_MIN_BYTES);
    this.#batch = undefined;
    this.#used = 0;
    if (!this.#client.writable) return;
    this.#unsent += 1;
    this.#client.write(full, (error) => {
      this.#unsent -= 1;
      // Of a socket the kernel has taken what it calls back for; other streams may still pass it on.
      const free = !error && this.#client instanceof Socket && batch.length === this.#batchBytes;
      this.#spare = free ? batch : undefined;
      if (this.#unsent === 0) this.#allSent?.();
    });
  }

  /** Flushes, and resolves once the kernel has everything or the client is gone. */
  async sent(): Promise<void> {
    this.flush();
    if (this.#unsent === 0 || this.#client.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#allSent = resolve;
    this.#client.once('close', resolve);
    await promise;
    this.#client.removeListener('close', resolve);
  }

  /**
   * Flushes, sends the end, and resolves once the kernel has everything or the client is gone. The connection is then
   * given time to be closed by its peer, since closing it with unread input would reset it.
   */
  finish(): Promise<void> {
    this.#finished ??= this.#finish();
    return this.#finished;
  }

  async #finish(): Promise<void> {
    const client = this.#client;
    this.flush();
    if (client.destroyed) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    client.once('close', resolve);
    client.end(resolve);
    await promise;
    client.removeListener('close', resolve);
    if (client.destroyed) return;
    client.resume();
    const timer = setTimeout(() => client.destroy(), LINGER_MS);
    timer.unref();
    client.once('close', () => clearTimeout(timer));
    if (client.readableEnded) client.destroy();
    else client.once('end', () => client.destroy());
  }

  /** Drops what is buffered and the connection. */
  cut(): void {
    this.#batch = undefined;
    this.#used = 0;
    this.#client.destroy();
  }
}
