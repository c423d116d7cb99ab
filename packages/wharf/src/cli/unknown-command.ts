import type { Group } from './command.ts';
import { meantWord } from './meant-word.ts';
import { usageLine } from './usage-line.ts';

/** What is said of a word that is no command, in docker's words, with the nearest one that is. */
export function unknownCommand(group: Group, names: readonly string[], word: string): string {
  const path = names.join(' ');
  const known = group.commands
    .filter(({ hidden }) => hidden !== true)
    .flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  const meant = meantWord(word, known);
  return [
    `${names[0]}: unknown command: ${path} ${word}`,
    ...(meant === undefined || names[0] === 'docker' ? [] : [`Did you mean '${path} ${meant}'?`]),
    ...(names.length === 1 ? [] : [`Usage:  ${usageLine(names)}`]),
    `Run '${path} --help' for more information`,
  ].join('\n\n');
}
