import { fit, widthOf } from '../build/view/text.ts';
import { type Column, cellText } from './rows.ts';
import type { Style } from './style.ts';

const GAP = 3;

interface Table<T> {
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  /** Columns of the terminal. */
  readonly width: number;
  readonly style: Style;
}

type Shape<T> = Partial<Pick<Column<T>, 'header' | 'least' | 'rank'>>;

/**
 * A table for a terminal: bold headers, cells painted, no line longer than the terminal is wide. Where it would be, texts that have a
 * short form take it, then what may be cut is cut, and at last columns are left out.
 */
export function fittedTable<T>({ columns, rows, width, style }: Table<T>): string {
  let cells = columns.map((column) => rows.map((row) => cellText(column, row)));
  if (total(widthsOf(columns, cells)) > width) {
    cells = columns.map(({ short }, index) => (short === undefined ? (cells[index] ?? []) : rows.map(short)));
  }
  const whole = widthsOf(columns, cells);
  const shown = keep(columns, shrink(columns, whole, width), width);
  // What went leaves room for what stays.
  const kept = shrink(
    shown.map((index) => columns[index] ?? {}),
    shown.map((index) => whole[index] ?? 0),
    width,
  );
  const widths = new Map(shown.map((index, at) => [index, kept[at] ?? 0]));
  const line = (cell: (index: number) => { readonly plain: string; readonly painted: string }): string => {
    const texts = shown.map((index, at) => {
      const { plain, painted } = cell(index);
      const filled = at === shown.length - 1 ? 0 : Math.max(0, (widths.get(index) ?? 0) - widthOf(plain) + GAP);
      return painted + ' '.repeat(filled);
    });
    return `${texts.join('').trimEnd()}\n`;
  };
  const header = line((index) => {
    const plain = fit(columns[index]?.header ?? '', widths.get(index) ?? 0);
    return { plain, painted: style.bold(plain) };
  });
  const body = rows.map((row, at) =>
    line((index) => {
      const plain = fit(cells[index]?.[at] ?? '', widths.get(index) ?? 0);
      return { plain, painted: columns[index]?.paint?.(plain, row, style) ?? plain };
    }),
  );
  return header + body.join('');
}

function widthsOf<T>(columns: readonly Column<T>[], cells: readonly (readonly string[])[]): number[] {
  return columns.map(({ header = '' }, index) =>
    (cells[index] ?? []).reduce((width, cell) => Math.max(width, widthOf(cell)), widthOf(header)),
  );
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, widths.length - 1);
}

/**
 * Cuts what may be cut until all fit or nothing more may go: columns of a higher rank to their least before others are touched, the
 * widest of one rank first.
 */
function shrink<T>(columns: readonly Shape<T>[], widths: readonly number[], width: number): number[] {
  const now = [...widths];
  const floors = columns.map(({ least, header = '' }, index) =>
    least === undefined ? (widths[index] ?? 0) : Math.max(least, widthOf(header)),
  );
  const ranks = [...new Set(columns.map(rankOf))].toSorted((left, right) => right - left);
  let over = total(now) - width;
  for (const rank of ranks) {
    for (; over > 0; over -= 1) {
      let widest = -1;
      for (const [index, column] of columns.entries()) {
        const each = now[index] ?? 0;
        if (rankOf(column) === rank && each > (floors[index] ?? 0) && each > (now[widest] ?? 0)) widest = index;
      }
      if (widest < 0) break;
      now[widest] = (now[widest] ?? 0) - 1;
    }
  }
  return now;
}

function rankOf<T>({ rank = 0 }: Shape<T>): number {
  return rank;
}

/** The columns that have room, after those of the highest rank went, the right one of two. */
function keep<T>(columns: readonly Column<T>[], widths: readonly number[], width: number): readonly number[] {
  const shown = [...widths.keys()];
  while (total(shown.map((index) => widths[index] ?? 0)) > width) {
    let first = -1;
    for (const index of shown) {
      const rank = columns[index]?.rank ?? 0;
      if (rank > 0 && rank >= (columns[first]?.rank ?? 1)) first = index;
    }
    if (first < 0) break;
    shown.splice(shown.indexOf(first), 1);
  }
  return shown;
}
