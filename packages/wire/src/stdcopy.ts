import { WharfError } from '@wharf/kit/errors';

/** Stream ids of the frame header (Engine API, "Attach to a container", stream format). */
export const STDIN = 0;
export const STDOUT = 1;
export const STDERR = 2;
/** dockerd's out-of-band error stream. */
export const SYSTEM_ERROR = 3;

/** Bytes before each frame: stream id, three zeros, the payload's length in big endian. */
export const FRAME_HEADER_BYTES = 8;

/** The header of a frame of `length` payload bytes. */
export function frameHeader(stream: number, length: number): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header[0] = stream;
  header[1] = 0;
  header[2] = 0;
  header[3] = 0;
  header.writeUInt32BE(length, 4);
  return header;
}

/** One frame, header and a copy of the payload, for small payloads that are to leave in one write. */
export function frame(stream: number, payload: Uint8Array): Buffer {
  const out = Buffer.allocUnsafe(FRAME_HEADER_BYTES + payload.length);
  out[0] = stream;
  out[1] = 0;
  out[2] = 0;
  out[3] = 0;
  out.writeUInt32BE(payload.length, 4);
  out.set(payload, FRAME_HEADER_BYTES);
  return out;
}

/** Larger frames are taken for a stream that is not framed at all. */
const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/**
 * Takes a framed stream apart. Payload bytes are handed on as they come, without waiting for the whole frame,
 * so a frame may be delivered in several pieces.
 */
export class Demuxer {
  readonly #deliver: (stream: number, payload: Buffer) => void;
  readonly #header = Buffer.alloc(FRAME_HEADER_BYTES);
  #headerBytes = 0;
  #stream = 0;
  #left = 0;

  constructor(deliver: (stream: number, payload: Buffer) => void) {
    this.#deliver = deliver;
  }

  /** Throws `invalid-argument` when the bytes are no frames. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const take = Math.min(this.#left, chunk.length - at);
        this.#deliver(this.#stream, chunk.subarray(at, at + take));
        this.#left -= take;
        at += take;
        continue;
      }
      const take = Math.min(FRAME_HEADER_BYTES - this.#headerBytes, chunk.length - at);
      chunk.copy(this.#header, this.#headerBytes, at, at + take);
      this.#headerBytes += take;
      at += take;
      if (this.#headerBytes === FRAME_HEADER_BYTES) this.#startFrame();
    }
  }

  /** True between frames: a stream that ends elsewhere was cut. */
  get atBoundary(): boolean {
    return this.#left === 0 && this.#headerBytes === 0;
  }

  #startFrame(): void {
    this.#headerBytes = 0;
    this.#stream = this.#header[0] ?? 0;
    this.#left = this.#header.readUInt32BE(4);
    if (this.#stream > SYSTEM_ERROR || this.#left > MAX_FRAME_BYTES) {
      throw new WharfError(
        'invalid-argument',
        `Cannot demultiplex the stream: ${this.#header.toString('hex')} is no frame header`,
      );
    }
  }
}
