import { messageOf, WharfError } from '@wharf/kit';
import { parseSignal, SIGNALS } from '@wharf/linux/signals';
import type { StopOptions } from './container-service.ts';
import type { ExitFollowUps } from './exit.ts';
import { killAndWait, nextExit, sendSignal, within } from './kill.ts';
import { DEFAULT_STOP_TIMEOUT_SECONDS } from './limits.ts';
import type { LiveContainer } from './live.ts';
import { locked, publish, type Room } from './room.ts';
import { startContainer } from './start.ts';

/** `docker stop`: signal, grace, SIGKILL. Throws `not-modified` when it does not run. */
export async function stopContainer(
  room: Room,
  live: LiveContainer,
  options: StopOptions & { readonly name: string },
  then: ExitFollowUps,
): Promise<void> {
  if (!live.isRunning) throw new WharfError('not-modified', 'container is already stopped');
  try {
    const signal = options.signal ? parseSignal(options.signal) : undefined;
    await stopAndWait(room, live, { signal, timeoutSeconds: options.timeoutSeconds }, then);
  } catch (error) {
    const kind = error instanceof WharfError && error.kind === 'invalid-argument' ? error.kind : 'internal';
    throw new WharfError(kind, `cannot stop container: ${options.name}: ${messageOf(error)}`, { cause: error });
  }
}

/** Ends the run in progress, gracefully first. Resolves once the end is booked. */
export async function stopAndWait(
  room: Room,
  live: LiveContainer,
  options: { readonly signal?: number | undefined; readonly timeoutSeconds?: number | undefined },
  then: ExitFollowUps,
): Promise<void> {
  if (!live.isRunning) return;
  const { StopSignal, StopTimeout } = live.record.config;
  const signal = options.signal ?? (StopSignal ? parseSignal(StopSignal) : SIGNALS.SIGTERM);
  const seconds = options.timeoutSeconds ?? StopTimeout ?? DEFAULT_STOP_TIMEOUT_SECONDS;
  const ended = nextExit(live);
  room.networks.avoid(live.id, true);
  await sendSignal(room, live, signal, then, { stop: true });
  if (seconds < 0) await ended;
  else if (!(await within(ended, seconds * 1000))) await killAndWait(room, live, then);
  publish(room, live.record, 'stop');
}

/** `docker restart`: a stop when it runs, and a start. */
export async function restartContainer(
  room: Room,
  live: LiveContainer,
  options: StopOptions & { readonly name: string },
  then: ExitFollowUps,
): Promise<void> {
  try {
    const signal = options.signal ? parseSignal(options.signal) : undefined;
    if (live.isRunning) {
      live.restartingByHand = true;
      try {
        await stopAndWait(room, live, { signal, timeoutSeconds: options.timeoutSeconds }, then);
        // Whoever books the end has done so when we get the lock.
        await locked(room, live, () => undefined);
      } finally {
        live.restartingByHand = false;
      }
    }
    await startContainer(room, live, then);
    publish(room, live.record, 'restart');
  } catch (error) {
    const kind = error instanceof WharfError ? error.kind : 'internal';
    throw new WharfError(kind, `Cannot restart container ${options.name}: ${messageOf(error)}`, { cause: error });
  }
}
