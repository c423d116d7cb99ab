import { WharfError } from '@wharf/kit';

const TERMINATOR = Buffer.from('\r\n\r\n');
const CR = 13;
const LF = 10;
/** The first that may stand in a token (RFC 9110, section 5.6.2). */
const CHARACTER = 0x21;

/**
 * Collects bytes until a head is whole. Holds no memory between requests, and grows by doubling, so that a client that
 * sends byte by byte costs no more than one that does not.
 */
export class HeadBuffer {
  readonly #limit: number;
  #bytes: Buffer | undefined;
  #length = 0;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /**
   * Adds bytes. Returns the head as Latin-1 text and what follows it once the empty line is there.
   * Throws `resource-exhausted` with code `head-too-large` beyond the limit, `invalid-argument` for a first byte no method has.
   */
  push(chunk: Buffer): { readonly text: string; readonly rest: Buffer } | undefined {
    let input = chunk;
    if (this.#length === 0) {
      // Empty lines before a request are skipped (RFC 9112, section 2.2).
      let skip = 0;
      while (input[skip] === CR || input[skip] === LF) skip++;
      if (skip > 0) input = input.subarray(skip);
      // A TLS handshake has no empty line to wait for; clients that try TLS first go on without once they are refused.
      const [first = CHARACTER] = input;
      if (first < CHARACTER || first >= 0x7f) {
        throw new WharfError('invalid-argument', 'This is no HTTP request: the server speaks HTTP, without TLS here');
      }
      const end = input.indexOf(TERMINATOR);
      if (end >= 0 && end <= this.#limit) {
        return { text: input.toString('latin1', 0, end), rest: input.subarray(end + 4) };
      }
    }
    return this.#append(input);
  }

  #append(input: Buffer): { readonly text: string; readonly rest: Buffer } | undefined {
    const from = Math.max(0, this.#length - 3);
    const bytes = this.#reserve(this.#length + input.length);
    input.copy(bytes, this.#length);
    this.#length += input.length;
    const all = bytes.subarray(0, this.#length);
    const end = all.indexOf(TERMINATOR, from);
    if ((end < 0 ? this.#length : end) > this.#limit) {
      throw new WharfError('resource-exhausted', `Request head is larger than ${this.#limit} bytes`, {
        code: 'head-too-large',
      });
    }
    if (end < 0) return undefined;
    this.#bytes = undefined;
    this.#length = 0;
    return { text: all.toString('latin1', 0, end), rest: Buffer.from(all.subarray(end + 4)) };
  }

  #reserve(size: number): Buffer {
    if (this.#bytes && this.#bytes.length >= size) return this.#bytes;
    const grown = Buffer.allocUnsafeSlow(Math.max(1024, 2 ** Math.ceil(Math.log2(size + 1))));
    this.#bytes?.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
    return grown;
  }
}
