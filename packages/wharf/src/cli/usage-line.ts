import type { Command } from './command.ts';

/** The groups that docker itself writes COMMAND behind when it complains. */
const WITH_COMMAND: ReadonlySet<string> = new Set(['manifest', 'volume']);

/** The usage line of a command, without `Usage:  `: `wharf rm [OPTIONS] CONTAINER [CONTAINER...]`; of a group without one. */
export function usageLine(names: readonly string[], command?: Command): string {
  const path = names.join(' ');
  if (command === undefined) {
    if (names.length === 1) return `${path} [OPTIONS] COMMAND [ARG...]`;
    return WITH_COMMAND.has(names[1] ?? '') ? `${path} COMMAND` : path;
  }
  const forms = typeof command.usage === 'string' ? [command.usage] : command.usage;
  // As in docker's help, where the further forms of a command are written by its short name.
  const short = names.filter((name, at) => at !== 1 || name !== 'container').join(' ');
  return forms.map((form, at) => `${at === 0 ? path : short} ${form}`.trimEnd()).join('\n\t');
}
