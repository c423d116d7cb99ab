/** Prints what an administrator's command answered: a table for lists, lines for one thing. */
export function printResult(result: unknown): void {
  if (Array.isArray(result)) printTable(result.filter(isRecord));
  else if (isRecord(result)) {
    for (const [name, value] of Object.entries(result)) {
      if (Array.isArray(value) && value.some(isRecord)) {
        console.log(`${name}:`);
        printTable(value.filter(isRecord));
      } else console.log(`${name}: ${cell(value)}`);
    }
  } else console.log(cell(result));
}

function printTable(rows: readonly Readonly<Record<string, unknown>>[]): void {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = [names.map((name) => name.toUpperCase()), ...rows.map((row) => names.map((name) => cell(row[name])))];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  for (const line of lines)
    console.log(
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(cell).join(',');
  if (isRecord(value))
    return (
      Object.entries(value)
        .map(([name, each]) => `${name}=${cell(each)}`)
        .join(' ') || '-'
    );
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
