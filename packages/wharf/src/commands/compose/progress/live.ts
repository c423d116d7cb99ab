import { widthOf } from '../../../build/view/text.ts';
import { Board } from './board.ts';
import type { ProgressView } from './event.ts';
import { frame } from './frame.ts';

const FRAME_MS = 100;
const HIDE_CURSOR = '\u001b[?25l';
const SHOW_CURSOR = '\u001b[?25h';
const CLEAR_LINE = '\u001b[K';
const CLEAR_BELOW = '\u001b[J';

export interface LiveOptions {
  readonly title: string;
  readonly write: (text: string) => void;
  readonly size: () => { readonly columns: number; readonly rows: number };
  readonly coloured: boolean;
  readonly dryRun: boolean;
}

/** Draws the work on a terminal, over what was drawn before. */
export function liveProgress({ title, write, size, coloured, dryRun }: LiveOptions): ProgressView {
  const startedAt = Date.now();
  const board = new Board(Date.now);
  let drawn: readonly string[] = [];
  let isHidden = false;
  const draw = (isOver: boolean): void => {
    const { columns, rows } = size();
    const options = { title, columns, rows, now: Date.now(), startedAt, isOver, dryRun };
    const lines = frame(board.tasks, { ...options, coloured });
    if (lines.length === 0) return;
    // A terminal that became narrower has broken the lines that stand on it.
    const up = drawn.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / columns)), 0);
    const move = up === 0 ? '\r' : `\r\u001b[${Math.min(up, rows - 1)}A`;
    const hide = isHidden ? '' : HIDE_CURSOR;
    isHidden = true;
    write(`${hide}${move}${lines.map((line) => `${line}${CLEAR_LINE}\n`).join('')}${CLEAR_BELOW}`);
    drawn = coloured ? frame(board.tasks, { ...options, coloured: false }) : lines;
  };
  let timer = setInterval(() => draw(false), FRAME_MS);
  const show = (): void => {
    if (isHidden) write(SHOW_CURSOR);
    isHidden = false;
  };
  return {
    event: (event) => board.event(event),
    tail: (message) => board.tail(message),
    pause: () => {
      clearInterval(timer);
      draw(false);
      show();
      // What is drawn stays above what comes meanwhile.
      drawn = [];
    },
    resume: () => {
      timer = setInterval(() => draw(false), FRAME_MS);
    },
    finish: () => {
      clearInterval(timer);
      draw(true);
      for (const message of board.tails) write(`${message}\n`);
      show();
    },
  };
}
