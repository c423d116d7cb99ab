import { FRAME_MS } from '../limits.ts';
import { frame } from './frame.ts';
import { paints } from './paint.ts';
import { widthOf } from './text.ts';
import type { Ending, View, ViewOptions } from './view.ts';

const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

export interface TerminalOptions extends ViewOptions {
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** Calls back when the terminal has another size; returns what ends that. */
  readonly onResize: (listener: () => void) => () => void;
  readonly coloured: boolean;
  readonly title: string;
}

/** Draws the build on a terminal, over what it drew before. */
export class TerminalView implements View {
  readonly #options: TerminalOptions;
  readonly #startedAt = Date.now();
  readonly #stopListening: () => void;
  #timer: NodeJS.Timeout | undefined;
  /** What stands on the terminal, without escapes. */
  #drawn: readonly string[] = [];
  #isPaused = false;

  constructor(options: TerminalOptions) {
    this.#options = options;
    this.#stopListening = options.onResize(() => this.#draw());
    options.write(HIDE_CURSOR);
    this.#timer = setInterval(() => this.#draw(), FRAME_MS);
    this.#draw();
  }

  update(): void {
    // The clock draws: messages come in bursts.
  }

  pause(): void {
    this.#draw();
    this.#isPaused = true;
    this.#drawn = [];
    this.#options.write(SHOW_CURSOR);
  }

  resume(): void {
    this.#isPaused = false;
    this.#options.write(HIDE_CURSOR);
    this.#draw();
  }

  finish(ending: Ending, result?: string): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stopListening();
    this.#isPaused = false;
    this.#draw(ending);
    if (result !== undefined) this.#options.write(`${paints(this.#options.coloured).good(result)}\n`);
    this.#options.write(SHOW_CURSOR);
  }

  #draw(ending?: Ending): void {
    if (this.#isPaused) return;
    const { columns, rows } = this.#options.size();
    const { model, explain, title, coloured } = this.#options;
    const common = { columns, rows, now: Date.now(), startedAt: this.#startedAt, explain, title };
    const end = ending === undefined ? {} : { ending };
    const lines = frame(model.steps, { ...common, ...end, paint: paints(coloured) });
    const up = this.#rowsDrawn(columns);
    const move = up === 0 ? '\r' : `\r\u001b[${Math.min(up, rows - 1)}A`;
    const text = lines.map((line) => `${line}${CLEAR_LINE}\n`).join('');
    this.#options.write(`${move}${text}${CLEAR_BELOW}`);
    this.#drawn = frame(model.steps, { ...common, ...end, paint: paints(false) });
  }

  /** Rows that what was drawn takes now: a terminal that became narrower has broken the lines. */
  #rowsDrawn(columns: number): number {
    return this.#drawn.reduce((rows, line) => rows + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
  }
}
