import { formatRfc3339Nano, messageOf, WharfError } from '@wharf/kit';
import { exitCodeOf } from '../runtime/runtime-error.ts';
import { type ExitFollowUps, supervise } from './exit.ts';
import { launch } from './launch.ts';
import type { LiveContainer } from './live.ts';
import { inBackground, locked, newStreams, publish, type Room } from './room.ts';

const EXIT_START_FAILED = 128;

/** Starts a container for a user. Throws `not-modified` when it runs, `conflict` when it may not. */
export async function startContainer(room: Room, live: LiveContainer, then: ExitFollowUps): Promise<void> {
  await locked(room, live, async () => {
    checkStartable(live);
    room.registry.saveState(live, { manuallyStopped: false, restartCount: 0 });
    live.lastRestartDelayMs = 0;
    await startLocked(room, live, then);
  });
}

function checkStartable(live: LiveContainer): void {
  const { status } = live.record.state;
  if (live.gone) throw new WharfError('not-found', `No such container: ${live.id}`);
  if (status === 'paused') {
    throw new WharfError('conflict', 'cannot start a paused container, try unpause instead');
  }
  if (live.isRunning) throw new WharfError('not-modified', 'container is already running');
  if (live.removing || status === 'removing' || status === 'dead') {
    throw new WharfError('conflict', 'container is marked for removal and cannot be started');
  }
}

/** Starts under the lock the caller holds, and books the outcome either way. */
export async function startLocked(room: Room, live: LiveContainer, then: ExitFollowUps): Promise<void> {
  await live.cleared;
  live.starting = new AbortController();
  try {
    const run = await launch(room, live, live.starting.signal);
    live.run = run;
    room.registry.saveState(live, {
      status: 'running',
      pid: run.pid,
      monitorPid: run.monitorPid,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: formatRfc3339Nano(run.startedAtNs),
      hasBeenStarted: true,
      health: undefined,
    });
    room.health.start(live.record);
    publish(room, live.record, 'start');
    void supervise(room, live, run, then);
  } catch (error) {
    bookFailure(room, live, error);
    if (live.record.hostConfig.AutoRemove === true && !live.removing) {
      inBackground(room, `removing container ${live.id}`, then.autoRemove(live));
    }
    throw error;
  } finally {
    live.starting = undefined;
  }
}

/** Nothing runs, the record says why, and clients that attached before the start see their streams end. */
function bookFailure(room: Room, live: LiveContainer, error: unknown): void {
  live.streams.close();
  live.streams = newStreams(room, () => live.record);
  const { state } = live.record;
  room.registry.save(live, {
    ...live.record,
    ports: {},
    state: {
      ...state,
      status: state.hasBeenStarted ? 'exited' : 'created',
      pid: 0,
      monitorPid: 0,
      exitCode: exitCodeOf(error) ?? (state.exitCode || EXIT_START_FAILED),
      error: messageOf(error),
    },
  });
}
