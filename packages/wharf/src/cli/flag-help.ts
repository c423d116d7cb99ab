import { bareValue } from './flag-value.ts';
import type { Flag, FlagTable } from './flags.ts';
import { wrapColumn } from './wrap.ts';

/** The flags of a command for its help, as Go's pflag lists them on a screen `columns` wide. */
export function flagLines(table: FlagTable, columns: number): readonly string[] {
  const rows = Object.entries(table)
    .filter(([, { hidden, deprecated }]) => hidden !== true && deprecated === undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, flag]) => [leftColumn(name, flag), flag.help + shownDefault(flag)] as const);
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, help]) => `${left.padEnd(width)}   ${wrapColumn(help, width + 3, columns - 1)}`);
}

function leftColumn(name: string, flag: Flag): string {
  const type = typeWord(flag);
  const start = flag.short === undefined ? `      --${name}` : `  -${flag.short}, --${name}`;
  return start + (type === '' ? '' : ` ${type}`) + optional(flag);
}

/** What a value of the flag is called; nothing for switches. */
export function typeWord({ kind, type }: Flag): string {
  return type ?? (kind === 'bool' ? '' : kind);
}

function optional(flag: Flag): string {
  const bare = bareValue(flag);
  if (bare === undefined || (flag.kind === 'bool' && bare === 'true') || (flag.kind === 'count' && bare === '+1')) {
    return '';
  }
  return flag.kind === 'string' ? `[="${bare}"]` : `[=${bare}]`;
}

function shownDefault(flag: Flag): string {
  if (flag.shownDefault !== undefined) return flag.shownDefault === '' ? '' : ` (default ${flag.shownDefault})`;
  if (flag.kind === 'map') return ' (default map[])';
  const value = 'default' in flag ? flag.default : undefined;
  if (!value) return '';
  const quoted = flag.kind === 'string' && (flag.type === undefined || flag.type === 'string');
  return ` (default ${quoted ? JSON.stringify(value) : String(value)})`;
}
