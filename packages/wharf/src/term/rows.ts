import type { GoType } from '@wharf/kit/go-template/types';
import type { Output } from '../cli/output.ts';
import type { Style } from './style.ts';
import { alignTabs } from './tab-columns.ts';

/** A column that templates may ask for: `{{.Name}}`. */
export interface Column<T> {
  /** Its name at the top of a table; a column without one is known to templates only. */
  readonly header?: string;
  /** Plain data: a text mostly. */
  readonly value: (row: T) => unknown;
  /** Go's type of the data, where it is no text. */
  readonly type?: GoType;
  /** What may be cut on a terminal that is too narrow: so many columns are left. Without it the column stays whole. */
  readonly least?: number;
  /** What gives way first on a narrow terminal: the higher, the sooner it is cut, and left out at last. 0, as usual, never goes. */
  readonly rank?: number;
  /** A shorter text that says nearly the same, for a narrow terminal. */
  readonly short?: (row: T) => string;
  readonly paint?: (text: string, row: T, style: Style) => string;
}

/** What docker's lists can be made of: containers, images, networks. */
export interface RowKind<T> {
  /** Go's name for one, as error texts have it: `*formatter.ContainerContext`. */
  readonly goType: string;
  readonly columns: Readonly<Record<string, Column<T>>>;
  /** `{{.Label "name"}}`. */
  readonly label?: (row: T, name: string) => string;
}

const TABLE = 'table';

/**
 * Rows in a format as `--format` takes it: `table TEMPLATE`, `json` (one document a line) or a template for each row. `\t` and `\n` in
 * it are a tab and a line's end. A table has its header even without rows. Throws TemplateError (`template parsing error: …`).
 */
export async function formatRows<T>(kind: RowKind<T>, rows: readonly T[], format: string): Promise<string> {
  const simple = simpleTable(kind, format);
  if (simple !== undefined) return alignTabs(tableText(simple, rows));
  if (format === 'json') return rows.map((row) => `${rowJson(kind, row)}\n`).join('');
  const { formatByTemplate } = await import('./row-template.ts');
  return formatByTemplate(kind, rows, format);
}

export interface RowList<T> {
  readonly rows: readonly T[];
  readonly format: string;
  /** `--json`: one array. */
  readonly json?: boolean;
  /** The user asked for no format: on a terminal the table fits its width and is coloured. */
  readonly fitted?: boolean;
}

/** Prints rows: as an array of JSON, fitted to the terminal, or in the format. */
export async function printRows<T>(out: Output, kind: RowKind<T>, list: RowList<T>): Promise<void> {
  const columns = list.fitted === true && out.isTerminal ? simpleTable(kind, list.format) : undefined;
  if (list.json === true) out.line(rowsJson(kind, list.rows));
  else if (columns === undefined) out.write(await formatRows(kind, list.rows, list.format));
  else {
    const { fittedTable } = await import('./fitted-table.ts');
    out.write(fittedTable({ columns, rows: list.rows, width: out.columns ?? 80, style: await outputStyle(out) }));
  }
}

async function outputStyle(out: Output): Promise<Style> {
  const { styleOf } = await import('./style.ts');
  return styleOf(out);
}

/** All columns of a row as `{{json .}}` has them, names sorted. */
export function rowData<T>({ columns }: RowKind<T>, row: T): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(columns)
      .toSorted(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, { value }]) => [name, value(row) ?? null]),
  );
}

const ESCAPED = /[<>&\u2028\u2029]/g;

/** A row as `{{json .}}` writes it: with Go's escapes for HTML, as docker's rows marshal themselves with them. */
export function rowJson<T>(kind: RowKind<T>, row: T): string {
  return JSON.stringify(rowData(kind, row)).replaceAll(
    ESCAPED,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The answer to `--json`: an array of what `--format json` prints line by line. */
export function rowsJson<T>(kind: RowKind<T>, rows: readonly T[]): string {
  return JSON.stringify(
    rows.map((row) => rowData(kind, row)),
    null,
    2,
  );
}

/** The columns of a table that is nothing but `{{.Name}}`, tab, `{{.Name}}`: those need no template, which spares a start. */
function simpleTable<T>({ columns }: RowKind<T>, format: string): readonly Column<T>[] | undefined {
  if (!format.startsWith(TABLE)) return undefined;
  const cells = format
    .slice(TABLE.length)
    .trim()
    .split(/\\t|\t/);
  const found: Column<T>[] = [];
  for (const cell of cells) {
    const name = /^\{\{\.(\w+)\}\}$/.exec(cell)?.[1];
    const column = name !== undefined && Object.hasOwn(columns, name) ? columns[name] : undefined;
    if (column?.header === undefined || column.type !== undefined) return undefined;
    found.push(column);
  }
  return found;
}

/** What stands in a cell; only columns of texts, numbers and booleans get here. */
export function cellText<T>({ value }: Column<T>, row: T): string {
  const data = value(row);
  return typeof data === 'string' ? data : JSON.stringify(data ?? '');
}

function tableText<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const lines = [
    columns.map(({ header }) => header),
    ...rows.map((row) => columns.map((column) => cellText(column, row))),
  ];
  return lines.map((cells) => `${cells.join('\t')}\n`).join('');
}
