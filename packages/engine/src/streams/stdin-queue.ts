import { STDIN_PACKET_BYTES } from './limits.ts';
import type { MonitorSocket } from './monitor-socket.ts';

/**
 * Sends stdin to the monitor in packets it can read whole, in the order of arrival, and holds the senders back while
 * the process does not read.
 *
 * - `push` returns whether the caller may go on; if not, its `resume` is called once its bytes have gone.
 * - After `end` or `close`, or once the monitor is gone, everything pushed is dropped: nobody will read it.
 */
export class StdinQueue {
  readonly #socket: MonitorSocket;
  #chunks: Buffer[] = [];
  #waiting: (() => void)[] = [];
  #ending = false;
  #closed = false;

  constructor(socket: MonitorSocket) {
    this.#socket = socket;
    socket.onDrain(() => this.#pump());
  }

  push(chunk: Uint8Array, resume: () => void): boolean {
    if (this.#ending || this.#closed) return true;
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength));
    if (this.#chunks.length === 1) this.#pump();
    if (this.#chunks.length === 0) return true;
    this.#waiting.push(resume);
    return false;
  }

  /** Closes the process's stdin once everything pushed before has gone. */
  end(): void {
    if (this.#ending || this.#closed) return;
    this.#ending = true;
    this.#pump();
  }

  /** Drops everything and lets the senders go. */
  close(): void {
    this.#closed = true;
    this.#chunks = [];
    this.#release();
  }

  #release(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  #pump(): void {
    if (this.#closed) return;
    try {
      for (let chunk = this.#chunks[0]; chunk; chunk = this.#chunks[0]) {
        const packet = chunk.length > STDIN_PACKET_BYTES ? chunk.subarray(0, STDIN_PACKET_BYTES) : chunk;
        // An empty packet would read as the end.
        if (packet.length > 0 && !this.#socket.send(packet)) return;
        if (packet.length === chunk.length) this.#chunks.shift();
        else this.#chunks[0] = chunk.subarray(packet.length);
      }
    } catch {
      // EPIPE, ECONNRESET: the monitor has gone, and its end comes by the reading side.
      this.close();
      return;
    }
    if (this.#ending) this.#socket.shutdownWrite();
    this.#release();
  }
}
