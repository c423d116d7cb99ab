import { parseRfc3339, ZERO_TIME } from '@wharf/kit';
import type { ContainerState } from './container.ts';

const SECOND_NS = 1_000_000_000n;

/** A span in Docker's rough words (`About a minute`, `3 weeks`): go-units' `HumanDuration`. */
export function humanDuration(spanNs: bigint): string {
  const seconds = Number(spanNs / SECOND_NS);
  if (seconds < 1) return 'Less than a second';
  if (seconds === 1) return '1 second';
  if (seconds < 60) return `${seconds} seconds`;
  const minutes = Math.floor(seconds / 60);
  if (minutes === 1) return 'About a minute';
  if (minutes < 60) return `${minutes} minutes`;
  const hours = Math.floor(seconds / 3600 + 0.5);
  if (hours === 1) return 'About an hour';
  if (hours < 48) return `${hours} hours`;
  if (hours < 24 * 7 * 2) return `${Math.floor(hours / 24)} days`;
  if (hours < 24 * 30 * 2) return `${Math.floor(hours / 24 / 7)} weeks`;
  if (hours < 24 * 365 * 2) return `${Math.floor(hours / 24 / 30)} months`;
  return `${Math.floor(Math.floor(seconds / 3600) / 24 / 365)} years`;
}

/** The `STATUS` column of `docker ps`, which clients parse: `Up 3 minutes (healthy)`, `Exited (0) 5 seconds ago`. */
export function statusText(state: ContainerState, nowNs: bigint): string {
  const since = (time: string) => humanDuration(nowNs - (parseRfc3339(time) ?? nowNs));
  switch (state.status) {
    case 'paused':
      return `Up ${since(state.startedAt)} (Paused)`;
    case 'running':
      return `Up ${since(state.startedAt)}${healthSuffix(state)}`;
    case 'restarting':
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case 'removing':
      return 'Removal In Progress';
    case 'dead':
      return 'Dead';
    case 'created':
      return 'Created';
    case 'exited':
      if (state.startedAt === ZERO_TIME) return 'Created';
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
  }
}

function healthSuffix(state: ContainerState): string {
  if (!state.health) return '';
  return state.health.status === 'starting' ? ' (health: starting)' : ` (${state.health.status})`;
}
