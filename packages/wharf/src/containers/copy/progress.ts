import { formatBytes } from '@wharf/kit/bytes';
import type { Output } from '../../cli/output.ts';

const UPDATE_MS = 75;
const ERASE_LINE = '\u001b[2K\r';
const DIGITS = 3;

/** Counts the bytes that pass, and shows them on a terminal while they do. */
export class CopyProgress implements Disposable {
  readonly #err: Output;
  readonly #timer: NodeJS.Timeout | undefined;
  #bytes = 0;

  /** `quiet`: counts only. */
  constructor(err: Output, { title, quiet }: { readonly title: string; readonly quiet: boolean }) {
    this.#err = err;
    if (quiet || !err.isTerminal) return;
    const show = (): void => err.write(`${ERASE_LINE}${title} - ${this.size}`);
    show();
    this.#timer = setInterval(show, UPDATE_MS);
  }

  get size(): string {
    return formatBytes(this.#bytes, DIGITS);
  }

  async *count<Chunk extends Uint8Array>(chunks: AsyncIterable<Chunk>): AsyncGenerator<Chunk, void, undefined> {
    for await (const chunk of chunks) {
      this.#bytes += chunk.length;
      yield chunk;
    }
  }

  [Symbol.dispose](): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#err.write(ERASE_LINE);
  }
}
