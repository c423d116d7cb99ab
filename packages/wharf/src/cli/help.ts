import { type Command, type Entry, type Group, isGroup, type Node } from './command.ts';
import { flagLines } from './flag-help.ts';
import type { FlagTable } from './flags.ts';
import { usageLine } from './usage-line.ts';

/** The narrowest column of names in lists of commands. */
const NAME_WIDTH = 11;
/** Told of where -h is something else: docker's way. */
const HELP_FLAG: FlagTable = { help: { kind: 'bool', help: 'Print usage' } };
const JSON_FLAG: FlagTable = { json: { kind: 'bool', help: 'Answer in JSON' } };

export interface HelpOf {
  readonly names: readonly string[];
  readonly path: readonly Node[];
  readonly columns: number;
}

/** `wharf COMMAND --help`, in the layout of docker's. */
export function commandHelp(command: Command, { names, path, columns }: HelpOf): string {
  const entry = path.at(-1) as Entry;
  const takesH = Object.values(command.flags).some(({ short }) => short === 'h');
  const flags = { ...command.flags, ...(command.json === true ? JSON_FLAG : {}), ...(takesH ? HELP_FLAG : {}) };
  const rows = flagLines(flags, columns);
  return sections([
    [`Usage:  ${usageLine(names, command)}`],
    [command.description ?? entry.help],
    aliasLines(entry, names),
    command.examples === undefined ? [] : ['Examples:', ...command.examples.map((line) => `  ${line}`)],
    rows.length === 0 ? [] : ['Options:', ...rows],
  ]);
}

function aliasLines(entry: Node, names: readonly string[]): readonly string[] {
  const program = names[0] ?? '';
  if (!isGroup(entry) && entry.also !== undefined) {
    return ['Aliases:', `  ${entry.also.map((path) => `${program} ${path}`).join(', ')}`];
  }
  if (entry.aliases === undefined) return [];
  const parent = names.slice(0, -1).join(' ');
  return ['Aliases:', `  ${[names.join(' '), ...entry.aliases.map((alias) => `${parent} ${alias}`)].join(', ')}`];
}

/** `wharf NOUN --help`, and of the program itself when it is the tree's root. */
export function groupHelp(group: Group, { names, columns }: HelpOf, globals?: FlagTable): string {
  const path = names.join(' ');
  const isRoot = names.length === 1;
  const shown = group.commands.filter(({ hidden }) => hidden !== true);
  const common = isRoot ? shown.filter(isCommon).toSorted((a, b) => (a.common ?? 0) - (b.common ?? 0)) : [];
  const nouns = shown.filter(isGroup).toSorted(byName);
  const verbs = shown.filter((node) => !isGroup(node) && !(common as readonly Node[]).includes(node)).toSorted(byName);
  const width = Math.max(NAME_WIDTH, ...group.commands.map(({ name }) => name.length));
  const own = isRoot ? (globals ?? {}) : (group.flags ?? {});
  const rows = flagLines(own, columns);
  const list = (title: string, nodes: readonly Node[]) =>
    nodes.length === 0 ? [] : [title, ...nodes.map(({ name, help }) => `  ${name.padEnd(width)} ${help}`)];
  return sections([
    [`Usage:  ${path}${rows.length === 0 ? '' : ' [OPTIONS]'} COMMAND`],
    [group.help],
    aliasLines(group, names),
    group.examples === undefined ? [] : ['Examples:', ...group.examples.map((line) => `  ${line}`)],
    isRoot || rows.length === 0 ? [] : ['Options:', ...rows],
    list('Common Commands:', common),
    list('Management Commands:', nouns),
    list('Commands:', verbs),
    isRoot ? ['Global Options:', ...rows] : [],
    [`Run '${path} COMMAND --help' for more information on a command.`],
  ]);
}

function isCommon(node: Node): node is Entry {
  return !isGroup(node) && node.common !== undefined;
}

function byName(left: Node, right: Node): number {
  return left.name < right.name ? -1 : 1;
}

function sections(parts: readonly (readonly string[])[]): string {
  return parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n').trimEnd())
    .join('\n\n');
}
