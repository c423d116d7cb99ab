import type { Duplex } from 'node:stream';

/** Reads a connection piece by piece, as its reader asks, without giving it up at the end of an answer. */
export class ByteSource {
  readonly #stream: Duplex;
  #rest: Buffer | undefined;
  #ended = false;
  #failure: unknown;
  #wake: (() => void) | undefined;
  readonly #onReadable = (): void => this.#wake?.();
  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#wake?.();
  };
  readonly #onError = (error: unknown): void => {
    this.#failure ??= error;
    this.#onEnd();
  };

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('readable', this.#onReadable).on('end', this.#onEnd).on('close', this.#onEnd).on('error', this.#onError);
  }

  /** True when no request can be sent any more, or bytes lie there that nobody asked for. */
  get isSpent(): boolean {
    return this.#ended || this.#stream.destroyed || this.#rest !== undefined || this.#stream.readableLength > 0;
  }

  /** The next bytes; `undefined` at the end. Throws what broke the connection. */
  async read(): Promise<Buffer | undefined> {
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) return rest;
    for (;;) {
      const chunk = this.#stream.read() as Buffer | null;
      if (chunk !== null) return chunk;
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  /** Puts bytes back. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#rest = bytes;
  }

  /** Hands the connection over, with what was read too much. */
  detach(): Duplex {
    const stream = this.#stream;
    stream
      .off('readable', this.#onReadable)
      .off('end', this.#onEnd)
      .off('close', this.#onEnd)
      .off('error', this.#onError);
    if (this.#rest !== undefined) stream.unshift(this.#rest);
    return stream;
  }
}
