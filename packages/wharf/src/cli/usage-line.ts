import type { Command } from './command.ts';

/** The usage line of a command, without `Usage:  `: `wharf rm [OPTIONS] CONTAINER [CONTAINER...]`; of a group without one. */
export function usageLine(names: readonly string[], command?: Command): string {
  const path = names.join(' ');
  if (command === undefined) return names.length === 1 ? `${path} [OPTIONS] COMMAND [ARG...]` : path;
  const forms = typeof command.usage === 'string' ? [command.usage] : command.usage;
  return forms.map((form) => (form === '' ? path : `${path} ${form}`)).join('\n\t');
}
