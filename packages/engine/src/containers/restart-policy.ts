import { RESTART_FIRST_DELAY_MS, RESTART_GOOD_RUN_MS, RESTART_MAX_DELAY_MS } from './limits.ts';

export interface RestartFacts {
  readonly policy: { readonly name: string; readonly maximumRetries: number };
  readonly exitCode: number;
  /** `docker stop` or `kill` ended it. */
  readonly manuallyStopped: boolean;
  /** Restarts by the policy so far. */
  readonly restartCount: number;
  /** How long the process ran. */
  readonly ranMs: number;
  /** The delay of the restart before this one, 0 when there was none. */
  readonly lastDelayMs: number;
}

export type RestartDecision = { readonly restart: false } | { readonly restart: true; readonly delayMs: number };

/** What a restart policy says to the end of a process: Docker's rules, 100 ms doubling to a minute, reset by a good run. */
export function decideRestart(facts: RestartFacts): RestartDecision {
  if (!wantsRestart(facts)) return { restart: false };
  const grown = facts.lastDelayMs === 0 || facts.ranMs >= RESTART_GOOD_RUN_MS ? 0 : facts.lastDelayMs * 2;
  return { restart: true, delayMs: Math.min(Math.max(grown, RESTART_FIRST_DELAY_MS), RESTART_MAX_DELAY_MS) };
}

function wantsRestart({ policy, exitCode, manuallyStopped, restartCount }: RestartFacts): boolean {
  if (manuallyStopped) return false;
  switch (policy.name) {
    case 'always':
    case 'unless-stopped':
    case 'unhealthy':
      return true;
    case 'on-failure':
      return exitCode !== 0 && (policy.maximumRetries === 0 || restartCount < policy.maximumRetries);
    default:
      return false;
  }
}

/** Whether a container that is down is to be started with the daemon. `unless-stopped` remembers the user's stop. */
export function startsWithDaemon(
  facts: Pick<RestartFacts, 'policy' | 'exitCode' | 'manuallyStopped' | 'restartCount'>,
): boolean {
  if (facts.policy.name === 'always') return true;
  return wantsRestart({ ...facts, ranMs: 0, lastDelayMs: 0 });
}
