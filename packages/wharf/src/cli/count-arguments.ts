import type { Command } from './command.ts';
import { ExitError } from './errors.ts';
import { usageLine } from './usage-line.ts';

/** Throws when the command takes fewer or more arguments, in docker's words (one of which has a misprint that scripts may have seen). */
export function checkCount(command: Command, names: readonly string[], count: number): void {
  const { least, most, terse } = command.args;
  if (count >= least && (most === undefined || count <= most)) return;
  if (terse === true) throw new ExitError(1, `accepts ${least} arg(s), received ${count}`);
  const path = names.join(' ');
  throw new ExitError(
    1,
    `${names[0]}: '${path}' ${need(least, most)}\n\nUsage:  ${usageLine(names, command)}\n\n${seeWord(least, most)} '${path} --help' for more information`,
  );
}

function need(least: number, most: number | undefined): string {
  if (most === 0) return 'accepts no arguments';
  if (least === most) return `requires ${words(least)}`;
  if (most === undefined) return `requires at least ${words(least)}`;
  if (least === 0) return `requires at most ${words(most)}`;
  return `requires at least ${least} and at most ${words(most)}`;
}

function seeWord(least: number, most: number | undefined): string {
  if (most === undefined) return 'See';
  return least === 0 && most > 0 ? 'SRun' : 'Run';
}

function words(count: number): string {
  return `${count} ${count === 1 ? 'argument' : 'arguments'}`;
}
