import { fit, widthOf } from '../build/view/text.ts';
import type { Column } from './rows.ts';
import type { Style } from './style.ts';

const GAP = 3;

interface Table<T> {
  readonly columns: readonly Column<T>[];
  readonly rows: readonly T[];
  /** Columns of the terminal. */
  readonly width: number;
  readonly style: Style;
}

/**
 * A table for a terminal: bold headers, cells painted, no line longer than the terminal is wide. Where it would be, texts that have a
 * short form take it, then the widest of what may be cut is cut, and at last columns are left out from the right, the first and the
 * last ones never.
 */
export function fittedTable<T>({ columns, rows, width, style }: Table<T>): string {
  let cells = columns.map((column) => rows.map((row) => String(column.value(row) ?? '')));
  if (total(widthsOf(columns, cells)) > width) {
    cells = columns.map(({ short }, index) => (short === undefined ? (cells[index] ?? []) : rows.map(short)));
  }
  const widths = shrink(columns, widthsOf(columns, cells), width);
  const shown = keep(widths, width);
  const line = (cell: (index: number) => { readonly plain: string; readonly painted: string }): string => {
    const texts = shown.map((index, at) => {
      const { plain, painted } = cell(index);
      const filled = at === shown.length - 1 ? 0 : Math.max(0, (widths[index] ?? 0) - widthOf(plain) + GAP);
      return painted + ' '.repeat(filled);
    });
    return `${texts.join('').trimEnd()}\n`;
  };
  const header = line((index) => {
    const plain = fit(columns[index]?.header ?? '', widths[index] ?? 0);
    return { plain, painted: style.bold(plain) };
  });
  const body = rows.map((row, at) =>
    line((index) => {
      const plain = fit(cells[index]?.[at] ?? '', widths[index] ?? 0);
      return { plain, painted: columns[index]?.paint?.(plain, row, style) ?? plain };
    }),
  );
  return header + body.join('');
}

function widthsOf<T>(columns: readonly Column<T>[], cells: readonly (readonly string[])[]): number[] {
  return columns.map(({ header = '' }, index) => Math.max(widthOf(header), ...(cells[index] ?? []).map(widthOf)));
}

function total(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, 0) + GAP * Math.max(0, widths.length - 1);
}

/** Takes from the widest column that may be cut, until all fit or nothing more may be taken. */
function shrink<T>(columns: readonly Column<T>[], widths: readonly number[], width: number): number[] {
  const now = [...widths];
  const floors = columns.map(({ least, header = '' }, index) =>
    least === undefined ? (widths[index] ?? 0) : Math.max(least, widthOf(header)),
  );
  for (let over = total(now) - width; over > 0; over -= 1) {
    let widest = -1;
    for (const [index, each] of now.entries()) {
      if (each > (floors[index] ?? 0) && each > (now[widest] ?? 0)) widest = index;
    }
    if (widest < 0) break;
    now[widest] = (now[widest] ?? 0) - 1;
  }
  return now;
}

/** The columns that have room: those in the middle go first, the right ones before the left ones. */
function keep(widths: readonly number[], width: number): readonly number[] {
  const shown = [...widths.keys()];
  while (shown.length > 2 && total(shown.map((index) => widths[index] ?? 0)) > width) shown.splice(-2, 1);
  return shown;
}
