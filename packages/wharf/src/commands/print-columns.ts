import { pad, widthOf } from '../build/view/text.ts';

/** Prints rows in columns, three blanks between them. */
export function printColumns(rows: readonly (readonly string[])[]): void {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, text] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, widthOf(text));
  }
  for (const row of rows)
    console.log(
      row
        .map((text, column) => pad(text, widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    );
}
