import { MAX_LINE_BYTES } from './limits.ts';

const LINE_FEED = 10;

/** Cuts a stream of bytes into lines, which are handed on without their line break. */
export class LineSplitter {
  readonly #onLine: (line: Buffer) => void;
  #rest: Buffer[] = [];
  #restBytes = 0;

  constructor(onLine: (line: Buffer) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
      this.#emit(chunk.subarray(from, at));
      from = at + 1;
    }
    if (from === chunk.length) return;
    // The chunk's memory may be used again by whoever reads: what is kept is a copy.
    this.#rest.push(Buffer.from(chunk.subarray(from)));
    this.#restBytes += chunk.length - from;
    if (this.#restBytes >= MAX_LINE_BYTES) this.#emit(Buffer.alloc(0));
  }

  /** Hands on what stands after the last line break. */
  end(): void {
    if (this.#restBytes > 0) this.#emit(Buffer.alloc(0));
  }

  #emit(last: Buffer): void {
    const line = this.#restBytes === 0 ? last : Buffer.concat([...this.#rest, last]);
    this.#rest = [];
    this.#restBytes = 0;
    this.#onLine(line);
  }
}
