import { linesOf } from '../package.ts';

/** The texts directly in each table of an array of tables, `[[name]]`; all that lock files need of TOML. */
export function* tomlTables(text: string, name: string): Generator<Readonly<Record<string, string>>> {
  let table: Record<string, string> | undefined;
  let isDirect = false;
  for (const line of linesOf(text)) {
    if (/^\s*\[/.test(line) && /\]\s*$/.test(line)) {
      const isOne = line.trim() === `[[${name}]]`;
      if (isOne && table !== undefined) yield table;
      if (isOne) table = Object.create(null) as Record<string, string>;
      isDirect = isOne;
      continue;
    }
    const [, key, value] = /^([A-Za-z0-9_-]+)\s*=\s*"([^"\\]*)"\s*$/.exec(line) ?? [];
    if (isDirect && table !== undefined && key !== undefined && value !== undefined) table[key] = value;
  }
  if (table !== undefined) yield table;
}
