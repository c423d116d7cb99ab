import { WharfError } from '@wharf/kit';

/** The largest message that is taken from a peer, in bytes. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** What stands before a message: a flag and its length. */
export const FRAME_HEADER_BYTES = 5;

/** A message as gRPC sends it: a flag for compression, a length, the bytes (grpc PROTOCOL-HTTP2.md, "Length-Prefixed-Message"). */
export function frame(bytes: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(FRAME_HEADER_BYTES + bytes.length);
  framed.set(bytes, FRAME_HEADER_BYTES);
  return writeFrameHeader(framed);
}

/** Writes the header into the space that was left for it before a message. */
export function writeFrameHeader(framed: Buffer): Buffer {
  framed[0] = 0;
  framed.writeUInt32BE(framed.length - FRAME_HEADER_BYTES, 1);
  return framed;
}

/** Cuts a stream of bytes into messages. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;

  /** Takes more bytes; returns the messages that are whole now. Throws `resource-exhausted` for one that is too large. */
  push(chunk: Buffer): readonly Buffer[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    const messages: Buffer[] = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) messages.push(next);
    return messages;
  }

  #next(): Buffer | undefined {
    if (this.#length < FRAME_HEADER_BYTES) return undefined;
    const [first] = this.#chunks;
    const bytes = first !== undefined && first.length >= FRAME_HEADER_BYTES ? first : this.#join();
    if (bytes[0] !== 0) throw new WharfError('not-implemented', 'Cannot read a gRPC message: it is compressed');
    const length = bytes.readUInt32BE(1);
    if (length > MAX_MESSAGE_BYTES) {
      throw new WharfError('resource-exhausted', `Cannot read a gRPC message: it has ${length} bytes`);
    }
    if (this.#length < FRAME_HEADER_BYTES + length) return undefined;
    const all = this.#join();
    const message = all.subarray(FRAME_HEADER_BYTES, FRAME_HEADER_BYTES + length);
    const rest = all.subarray(FRAME_HEADER_BYTES + length);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#length = rest.length;
    return message;
  }

  #join(): Buffer {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first;
    const all = Buffer.concat(this.#chunks);
    this.#chunks = [all];
    return all;
  }
}
