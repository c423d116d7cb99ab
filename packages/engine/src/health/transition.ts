import type { HealthLogEntry, HealthState } from '../containers/container.ts';
import type { HealthCheck } from './health-config.ts';
import { HEALTH_LOG_ENTRIES } from './limits.ts';

/** The state of a container that has just been started. */
export const STARTING: HealthState = { status: 'starting', failingStreak: 0, log: [] };

export interface Probed {
  readonly entry: HealthLogEntry;
  /** From the container's start to the probe's. */
  readonly sinceStartNs: bigint;
}

/**
 * The state after a probe. A success is healthy at once; failures count once the start period is over (or once the
 * container was healthy), and `retries` of them in a row are unhealthy.
 */
export function afterProbe(state: HealthState, probed: Probed, check: HealthCheck): HealthState {
  const log = [...state.log, probed.entry].slice(-HEALTH_LOG_ENTRIES);
  if (probed.entry.exitCode === 0) return { status: 'healthy', failingStreak: 0, log };
  if (state.status === 'starting' && probed.sinceStartNs < check.startPeriodNs) return { ...state, log };
  const failingStreak = state.failingStreak + 1;
  return { status: failingStreak >= check.retries ? 'unhealthy' : state.status, failingStreak, log };
}

/** How long to wait before the next probe. */
export function untilNextProbe(state: HealthState, sinceStartNs: bigint, check: HealthCheck): bigint {
  const early = state.status === 'starting' && sinceStartNs < check.startPeriodNs;
  return early ? check.startIntervalNs : check.intervalNs;
}
