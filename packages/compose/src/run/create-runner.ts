import type { Runner, RunnerOptions } from './runner.ts';

/** A runner for one project on one daemon. */
export function createRunner(options: RunnerOptions): Runner {
  void options;
  throw new Error('not there yet');
}
