import { parseDockerfile } from '../dockerfile/dockerfile.ts';
import type { BuildPlan, PlanOptions } from '../plan/plan.ts';
import { planBuild } from '../plan/plan.ts';
import { checkOptions } from './check-options.ts';
import { Checks } from './checks.ts';
import {
  describeAnswer,
  lintAnswer,
  outlineAnswer,
  type Subrequest,
  type SubrequestAnswer,
  targetsAnswer,
} from './subrequests.ts';

/** Reads, checks and plans a Dockerfile. `onChecks` is told of the checks before they begin to find, so that an error hides none. */
export async function checkedPlan(
  text: string,
  options: Omit<PlanOptions, 'checks'>,
  onChecks: (checks: Checks) => void = () => undefined,
): Promise<BuildPlan> {
  const checks = new Checks(checkOptions(text, options.buildArgs));
  onChecks(checks);
  return planBuild(parseDockerfile(text, checks), { ...options, checks });
}

/**
 * Answers a question about a Dockerfile; nothing is built. An error of the file is part of a lint's answer, and thrown by the others.
 * @param onChecks as of `checkedPlan`
 */
export async function inspectDockerfile(
  request: Subrequest,
  source: { readonly filename: string; readonly text: string },
  options: Omit<PlanOptions, 'checks'>,
  onChecks: (checks: Checks) => void = () => undefined,
): Promise<SubrequestAnswer> {
  const { text } = source;
  switch (request) {
    case 'describe':
      return describeAnswer();
    case 'targets':
      return targetsAnswer(parseDockerfile(text), text);
    case 'outline':
      return outlineAnswer(await checkedPlan(text, options, onChecks), text);
    case 'lint': {
      let checks: Checks | undefined;
      let failure: unknown;
      try {
        // Without a target, all of the file is looked at.
        await checkedPlan(text, { ...options, allStages: options.target === undefined }, (made) => {
          checks = made;
        });
      } catch (error) {
        failure = error;
      }
      return lintAnswer(source, checks?.findings ?? [], failure);
    }
    default:
      return request satisfies never;
  }
}
