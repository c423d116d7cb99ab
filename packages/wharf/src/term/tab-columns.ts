import { widthOf } from '../build/view/text.ts';

/** Docker's tables have columns of ten at least and three blanks between them. */
const DOCKER = { leastWidth: 10, padding: 3 };

/**
 * Lines whose cells end with a tab become columns, as docker's tables have them (Go's text/tabwriter). A column goes on as long as each
 * line has a cell in it; the last cell of a line belongs to none.
 */
export function alignTabs(text: string, { leastWidth, padding }: typeof DOCKER = DOCKER): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const widths = lines.map(() => [] as number[]);
  const most = lines.reduce((all, cells) => Math.max(all, cells.length - 1), 0);
  for (let column = 0; column < most; column += 1) {
    for (let from = 0; from < lines.length; ) {
      let end = from;
      let width = leastWidth;
      for (; (lines[end]?.length ?? 0) - 1 > column; end += 1) {
        width = Math.max(width, widthOf(lines[end]?.[column] ?? '') + padding);
      }
      for (; from < end; from += 1) widths[from]?.push(width);
      from += 1;
    }
  }
  return lines.map((cells, line) => joinCells(cells, widths[line] ?? [])).join('\n');
}

function joinCells(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => {
      const width = widths[column];
      return width === undefined ? cell : cell + ' '.repeat(Math.max(0, width - widthOf(cell)));
    })
    .join('');
}
