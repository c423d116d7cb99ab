import { type Entry, type Group, isGroup, type Node } from './command.ts';
import { bareValue } from './flag-value.ts';
import type { FlagTable } from './flags.ts';

/** Where a line leads in the tree. */
export interface Found {
  /** From the program down, its own name first. */
  readonly path: readonly Node[];
  /** The names of the path. */
  readonly names: readonly string[];
  readonly node: Node;
  /** What is left of the line for each group on the path that has flags of its own, and for the command. */
  readonly groupLines: readonly { readonly group: Group; readonly line: readonly string[] }[];
  readonly rest: readonly string[];
}

/** Follows a line down the tree as far as its words are names there; flags between them belong to the group before them. */
export function findCommand(root: Group, program: string, line: readonly string[]): Found {
  const path: Node[] = [root];
  const names = [program];
  const groupLines: { group: Group; line: readonly string[] }[] = [];
  let node: Node = root;
  let rest = line;
  while (isGroup(node)) {
    const step = nextWord(node.flags ?? {}, rest);
    const below: Node | undefined = step === undefined ? undefined : childOf(node, rest[step] ?? '');
    if (step === undefined || below === undefined) break;
    const before = rest.slice(0, step);
    if (before.length > 0) groupLines.push({ group: node, line: before });
    rest = rest.slice(step + 1);
    node = below;
    path.push(node);
    names.push(node.name);
  }
  return { path, names, node, groupLines, rest };
}

/** A command or group by one of its names. */
export function childOf(group: Group, word: string): Node | undefined {
  return group.commands.find(({ name, aliases = [] }) => name === word || aliases.includes(word));
}

/** Where the first word is that is no flag and no flag's value. */
function nextWord(flags: FlagTable, line: readonly string[]): number | undefined {
  for (let at = 0; at < line.length; at += 1) {
    const word = line[at] ?? '';
    if (word === '--') return undefined;
    if (!word.startsWith('-') || word === '-') return at;
    if (takesNext(flags, word)) at += 1;
  }
  return undefined;
}

function takesNext(flags: FlagTable, word: string): boolean {
  if (word.includes('=')) return false;
  const flag = word.startsWith('--')
    ? flags[word.slice(2)]
    : Object.values(flags).find(({ short }) => short === word.at(-1));
  return flag !== undefined && bareValue(flag) === undefined;
}

/** All commands below a node with the names that lead to them, in the order of the tree. */
export function* allCommands(
  node: Node,
  names: readonly string[],
): Generator<{ entry: Entry; names: readonly string[] }> {
  if (!isGroup(node)) yield { entry: node, names };
  else for (const below of node.commands) yield* allCommands(below, [...names, below.name]);
}
