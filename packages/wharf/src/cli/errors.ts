import { WharfError } from '@wharf/kit/errors';
import type { Command } from './command.ts';

/** Docker's status for a line whose flags make no sense, and for a `run` that failed before the container did. */
export const USAGE_STATUS = 125;

/** Ends the program with a status; `message` goes to standard error as it is, nothing when it is empty. */
export class ExitError extends WharfError {
  readonly status: number;

  constructor(status: number, message = '', hint?: string) {
    super('failed-precondition', message, hint === undefined ? {} : { hint });
    this.name = 'ExitError';
    this.status = status;
  }
}

/** A line that makes no sense. */
export class UsageError extends WharfError {
  constructor(message: string, hint?: string) {
    super('invalid-argument', message, hint === undefined ? {} : { hint });
    this.name = 'UsageError';
  }
}

/** Something is wrong with a flag: `message` is shown above the command's usage line; the status is 125. */
export class FlagError extends UsageError {
  override readonly name = 'FlagError';
}

/** A FlagError together with whose flag it was. */
export class FlagUsageError extends ExitError {
  readonly names: readonly string[];
  readonly command: Command | undefined;

  constructor(error: FlagError, names: readonly string[], command: Command | undefined) {
    super(USAGE_STATUS, error.message, error.hint);
    this.names = names;
    this.command = command;
  }
}
