import type { Output } from '../cli/output.ts';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_REST_OF_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

/** Lines on a terminal that are drawn again in the same place. The cursor is hidden until it ends. */
export class Redraw implements Disposable {
  readonly #out: Output;
  #height = 0;
  readonly #showCursor = (): void => this.#out.write(SHOW_CURSOR);

  constructor(out: Output) {
    this.#out = out;
    out.write(HIDE_CURSOR);
    process.on('exit', this.#showCursor);
  }

  /** Puts these lines where the last ones were. They must fit the terminal, or it scrolls. */
  draw(lines: readonly string[]): void {
    const up = this.#height > 0 ? `\u001b[${this.#height}A` : '';
    const body = lines.map((line) => `${line}${CLEAR_REST_OF_LINE}\n`).join('');
    this.#out.write(`${up}\r${body}${CLEAR_BELOW}`);
    this.#height = lines.length;
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#showCursor);
    this.#showCursor();
  }
}
