import { WharfError } from '@wharf/kit';

/** A command of a RUN that ended with a status other than 0. */
export class StepError extends WharfError {
  readonly exitCode: number;
  readonly args: readonly string[];
  /** Somebody wants to look at what it left, and gives that back (FailedStep). */
  isHeld = false;

  constructor(args: readonly string[], exitCode: number) {
    super('failed-precondition', `process "${args.join(' ')}" did not complete successfully: exit code: ${exitCode}`);
    this.name = 'StepError';
    this.exitCode = exitCode;
    this.args = args;
  }
}
