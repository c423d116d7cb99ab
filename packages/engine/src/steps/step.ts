import type { StepRunner } from '@wharf/oci/steps/step';

/** Below the exec root; each step's caller makes a directory of its id there. */
export const STEPS_DIR = 'builds';

/** Runs single commands behind the walls of a container, without a container's record, monitor, log or name: a builder's steps. */
export interface StepService extends StepRunner {
  /** Ends what a daemon that was killed left running; returns the ids, for the log. To be called before the first step. */
  recover(): Promise<readonly string[]>;
}
