import { exitCodeOf } from '../runtime/runtime-error.ts';
import type { ExitFollowUps } from './exit.ts';
import type { LiveContainer } from './live.ts';
import { decideRestart } from './restart-policy.ts';
import { locked, type Room } from './room.ts';

/** What a start that failed before there was a process counts as. */
const NEVER_RAN = 128;

/**
 * A start that nobody waits for (at boot, or by a restart policy) has failed: an address is not there yet, a network cannot be made,
 * a peer is down. That is taken as a crash: the policy decides, with its growing delay. A program that cannot be run is not tried
 * again; that does not pass by itself.
 */
export async function retryStart(
  room: Room,
  live: LiveContainer,
  error: unknown,
  then: Pick<ExitFollowUps, 'scheduleRestart'>,
): Promise<void> {
  if (exitCodeOf(error) !== undefined) return;
  await locked(room, live, async () => {
    if (room.closing || live.gone || live.removing || live.isRunning || live.pendingRestart !== undefined) return;
    const { state, hostConfig } = live.record;
    const decision = decideRestart({
      policy: {
        name: hostConfig.RestartPolicy?.Name ?? 'no',
        maximumRetries: hostConfig.RestartPolicy?.MaximumRetryCount ?? 0,
      },
      exitCode: NEVER_RAN,
      manuallyStopped: state.manuallyStopped,
      restartCount: state.restartCount,
      ranMs: 0,
      lastDelayMs: live.lastRestartDelayMs,
    });
    if (!decision.restart) return;
    live.lastRestartDelayMs = decision.delayMs;
    room.registry.saveState(live, { status: 'restarting', restartCount: state.restartCount + 1 });
    then.scheduleRestart(live, decision.delayMs);
  });
}
