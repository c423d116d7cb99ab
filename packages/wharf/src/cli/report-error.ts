import { messageOf, WharfError } from '@wharf/kit/errors';
import { ExitError, FlagUsageError } from './errors.ts';
import type { Output } from './output.ts';
import { usageLine } from './usage-line.ts';

/** Says what went wrong and, where it is known, what to do, which docker never does; returns the exit status. */
export function reportError(error: unknown, err: Output, program: string): number {
  if (error instanceof FlagUsageError) {
    const { names, command, hint } = error;
    const more = hint === undefined || program === 'docker' ? '' : `\n${hint}`;
    err.line(
      `${error.message}${more}\n\nUsage:  ${usageLine(names, command)}\n\nRun '${names.join(' ')} --help' for more information`,
    );
    return error.status;
  }
  if (error instanceof WharfError) {
    const { message, hint } = error;
    const text = hint === undefined || program === 'docker' ? message : `${message}\n${hint}`;
    if (text !== '') err.line(text);
    return error instanceof ExitError ? error.status : 1;
  }
  // A fault of ours: with its stack it can be mended.
  err.line(error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
  return 1;
}
