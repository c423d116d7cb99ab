import { type Command, type Group, isGroup, type Node } from '../command.ts';
import { typeWord } from '../flag-help.ts';
import { bareValue } from '../flag-value.ts';
import type { Flag, FlagTable } from '../flags.ts';
import { usageLine } from '../usage-line.ts';

/** `wharfd`, whose flags are a table of its own. */
export interface DaemonPageOf {
  readonly flags: FlagTable;
  readonly version: string;
}

/** The manual page of the daemon. */
export function daemonManualPage({ flags, version }: DaemonPageOf): string {
  return [
    `.TH "WHARFD" 8 "" ${quoted(`wharf ${version}`)} "wharf"`,
    ...[
      '.SH NAME',
      'wharfd \\- the daemon of wharf: containers, images, networks, volumes and builds behind docker\\(aqs API',
    ],
    ...['.SH SYNOPSIS', '.B wharfd [OPTIONS]'],
    ...[
      '.SH DESCRIPTION',
      'Runs in the foreground; the service \\fBwharf\\fR of systemd starts it. Containers do not end with it.',
    ],
    ...section('OPTIONS', flagRows(flags)),
    ...section('FILES', ['.TP', '.I /etc/wharf/daemon.json', 'Settings, by the names of the flags.']),
    ...['.TP', '.I /run/wharf.sock', 'Where it listens.', '.TP', '.I /var/lib/wharf', 'All that lasts.'],
    ...section('SEE ALSO', ['.BR wharf (1)']),
    '',
  ].join('\n');
}

export interface PageOf {
  /** From the program's name down. */
  readonly names: readonly string[];
  readonly node: Node;
  /** Absent for a group. */
  readonly command?: Command;
  readonly version: string;
  /** The flags before the first command, for the page of the program. */
  readonly globals?: FlagTable;
}

/** The manual page of a command or a noun, in the macros of man(7). */
export function manualPage({ names, node, command, version, globals }: PageOf): string {
  const name = names.join('-');
  const usage = command === undefined ? `${names.join(' ')} [OPTIONS] COMMAND` : usageLine(names, command);
  const flags = globals ?? (isGroup(node) ? node.flags : command?.flags) ?? {};
  const examples = (isGroup(node) ? node.examples : command?.examples) ?? [];
  return [
    `.TH ${quoted(name.toUpperCase())} 1 "" ${quoted(`wharf ${version}`)} "wharf"`,
    '.SH NAME',
    `${escaped(name)} \\- ${escaped(node.help)}`,
    '.SH SYNOPSIS',
    ...usage.split('\n\t').flatMap((form, index) => [...(index === 0 ? [] : ['.br']), `.B ${escaped(form)}`]),
    '.SH DESCRIPTION',
    escaped(command?.description ?? `${node.help}.`),
    ...section('COMMANDS', isGroup(node) ? commandRows(node, names) : []),
    ...section('OPTIONS', flagRows(flags)),
    ...section('EXAMPLES', examples.length === 0 ? [] : ['.nf', ...examples.map(escaped), '.fi']),
    ...section('SEE ALSO', seeAlso(names)),
    '',
  ].join('\n');
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : [`.SH ${quoted(title)}`, ...lines];
}

function commandRows({ commands }: Group, names: readonly string[]): readonly string[] {
  const shown = commands.filter(({ hidden }) => hidden !== true).toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return shown.flatMap(({ name, help }) => ['.TP', `.BR ${escaped([...names, name].join('-'))} (1)`, escaped(help)]);
}

function flagRows(flags: FlagTable): readonly string[] {
  return Object.entries(flags)
    .filter(([, { hidden, deprecated }]) => hidden !== true && deprecated === undefined)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .flatMap(([name, flag]) => ['.TP', flagHead(name, flag), escaped(flag.help)]);
}

function flagHead(name: string, flag: Flag): string {
  const type = typeWord(flag);
  const long = `\\fB\\-\\-${escaped(name)}\\fR`;
  const value =
    type === '' ? '' : bareValue(flag) === undefined ? ` \\fI${escaped(type)}\\fR` : `[=\\fI${escaped(type)}\\fR]`;
  return `${flag.short === undefined ? '' : `\\fB\\-${flag.short}\\fR, `}${long}${value}`;
}

function seeAlso(names: readonly string[]): readonly string[] {
  const above = names.slice(0, -1);
  return [`.BR ${escaped(above.length === 0 ? 'wharfd' : above.join('-'))} ${above.length === 0 ? '(8)' : '(1)'}`];
}

/** A line that roff takes as text: no escape, no request at its start. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .split('\n')
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line))
    .join('\n.br\n');
}

function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\e').replaceAll('"', '\\(dq')}"`;
}
