import { messageOf } from '@wharf/kit';
import type { ExitFollowUps } from './exit.ts';
import type { LiveContainer } from './live.ts';
import { inBackground, locked, type Room } from './room.ts';
import { startLocked } from './start.ts';
import { retryStart } from './start-retry.ts';

/** Waits out the delay of a restart policy and starts again; `cancelRestart` ends the wait. */
export function scheduleRestart(room: Room, live: LiveContainer, delayMs: number, then: ExitFollowUps): void {
  const controller = new AbortController();
  live.pendingRestart = controller;
  void (async () => {
    try {
      await room.clock.sleep(delayMs, { signal: controller.signal });
      await room.restored.promise;
    } catch {
      return;
    }
    await locked(room, live, async () => {
      if (controller.signal.aborted || room.closing || live.removing || live.gone) return;
      live.pendingRestart = undefined;
      await startLocked(room, live, then);
    });
  })().catch((error: unknown) => {
    room.log.warn({ container: live.id, err: messageOf(error) }, 'a restart by policy failed');
    inBackground(room, `trying container ${live.id} again`, retryStart(room, live, error, then));
  });
}

/**
 * Gives a pending restart up: the container counts as ended from here on. Call it with the lock held. True when there was
 * one.
 */
export function cancelRestart(room: Room, live: LiveContainer, then: ExitFollowUps): boolean {
  if (live.pendingRestart === undefined) return false;
  live.pendingRestart.abort();
  live.pendingRestart = undefined;
  room.registry.saveState(live, { status: 'exited' });
  live.waiters.exited({ exitCode: live.record.state.exitCode });
  if (live.record.hostConfig.AutoRemove === true && !live.removing && !live.restartingByHand) {
    inBackground(room, `removing container ${live.id}`, then.autoRemove(live));
  }
  return true;
}
