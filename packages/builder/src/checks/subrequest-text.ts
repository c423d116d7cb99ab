import { excerpt } from '../dockerfile/excerpt.ts';
import type { Finding } from './checks.ts';

/** What the checks found, one after the other, each with its lines. */
export function lintText(
  { filename, text }: { readonly filename: string; readonly text: string },
  findings: readonly Finding[],
): string {
  return findings
    .toSorted((left, right) => left.location.start - right.location.start)
    .map(({ rule, detail, location }) => {
      const page = rule.url === '' ? '' : ` - ${rule.url}`;
      return `\nWARNING: ${rule.name}${page}\n${detail}\n${excerpt(text, location, filename)}`;
    })
    .join('');
}

interface Outline {
  readonly name?: string;
  readonly description?: string;
  readonly args?: readonly { readonly name: string; readonly value?: string; readonly description?: string }[];
  readonly secrets?: readonly { readonly name: string; readonly required?: boolean }[];
  readonly ssh?: readonly { readonly name: string; readonly required?: boolean }[];
}

/** What a target takes, as tables. */
export function outlineText({ name, description, args = [], secrets = [], ssh = [] }: Outline): string {
  const about = [
    ['TARGET:', name ?? '(default)'],
    ...(description === undefined ? [] : [['DESCRIPTION:', description]]),
  ];
  const requests = (list: NonNullable<Outline['secrets']>) =>
    list.map((request) => [request.name, request.required === true ? 'true' : '']);
  const argument = args.map((arg) => [arg.name, arg.value ?? '', arg.description ?? '']);
  return [
    ...(name === undefined && description === undefined ? [] : [columns(about, 1)]),
    ...(args.length === 0 ? [] : [columns([['BUILD ARG', 'VALUE', 'DESCRIPTION'], ...argument], 3)]),
    ...(secrets.length === 0 ? [] : [columns([['SECRET', 'REQUIRED'], ...requests(secrets)], 3)]),
    ...(ssh.length === 0 ? [] : [columns([['SSH', 'REQUIRED'], ...requests(ssh)], 3)]),
  ]
    .map((table) => `${table}\n`)
    .join('');
}

/** The stages of a file. */
export function targetsText(
  targets: readonly { readonly name?: string; readonly default?: boolean; readonly description?: string }[],
): string {
  const rows = targets.map((target) => {
    const name = [target.name ?? '', ...(target.default === true ? ['(default)'] : [])].join(' ').trim();
    return [name, target.description ?? ''];
  });
  return columns([['TARGET', 'DESCRIPTION'], ...rows], 1);
}

/** The subrequests there are. */
export function describeText(
  requests: readonly { readonly name: string; readonly version: string; readonly description: string }[],
): string {
  const rows = requests.map(({ name, version, description }) => [
    ...[name.replace(/^frontend\./, ''), version, description],
  ]);
  return columns([['NAME', 'VERSION', 'DESCRIPTION'], ...rows], 1);
}

/** Rows in columns as wide as their widest cell; the last is as long as it is. */
function columns(rows: readonly (readonly string[])[], gap: number): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)) + gap);
  return rows
    .map((row) => row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))))
    .map((cells) => `${cells.join('')}\n`)
    .join('');
}
