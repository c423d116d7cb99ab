import { hasErrno, messageOf, WharfError, withDeadline } from '@wharf/kit';
import { killCgroup } from '@wharf/linux/cgroup';
import { pidfdSendSignal } from '@wharf/linux/pidfd';
import { hasEnded, heedsSignal } from '@wharf/linux/proc';
import { parseSignal, SIGNALS } from '@wharf/linux/signals';
import { containerNotRunning } from '@wharf/wire/docker/messages';
import { cancelRestart } from './auto-restart.ts';
import type { WaitResult } from './container-service.ts';
import type { ExitFollowUps } from './exit.ts';
import { HANDLER_LOOK_MS, HANDLER_WAIT_MS, KILL_LAST_WAIT_MS, KILL_WAIT_MS } from './limits.ts';
import type { LiveContainer, Run } from './live.ts';
import { cgroupOf, locked, publish, type Room, runtimeOf } from './room.ts';

/** `docker kill`: SIGKILL and the wait for the end, or another signal and no wait. `name` is what the user called it. */
export async function killContainer(
  room: Room,
  live: LiveContainer,
  options: { readonly name: string; readonly signal: string | undefined },
  then: ExitFollowUps,
): Promise<void> {
  const signal = signalToSend(options);
  if (!live.isRunning) throw cannotKill(options.name, 'conflict', containerNotRunning(live.id));
  if (signal === SIGNALS.SIGKILL) await killAndWait(room, live, then);
  else await sendSignal(room, live, signal, then);
}

function signalToSend({ name, signal }: { readonly name: string; readonly signal: string | undefined }): number {
  if (!signal) return SIGNALS.SIGKILL;
  try {
    return parseSignal(signal);
  } catch (error) {
    const unknown = /^\d{2,9}$/.test(signal)
      ? `the linux daemon does not support signal ${Number(signal)}`
      : messageOf(error);
    throw cannotKill(name, 'invalid-argument', unknown);
  }
}

/** Why a `docker kill` was not possible, in dockerd's words. */
export function cannotKill(name: string, kind: 'conflict' | 'invalid-argument' | 'not-found', why: string): WharfError {
  return new WharfError(kind, `cannot kill container: ${name}: ${why}`);
}

/** Resolves at the end of the run in progress; at once when there is none. */
export function nextExit(live: LiveContainer, signal?: AbortSignal): Promise<WaitResult> {
  if (!live.isRunning) return Promise.resolve({ exitCode: live.record.state.exitCode });
  return live.waiters.add({ removedOnly: false, signal });
}

/** Kills and waits until the end is booked. Throws `internal` when the kernel does not let it end. */
export async function killAndWait(room: Room, live: LiveContainer, then: ExitFollowUps): Promise<void> {
  if (!live.isRunning) return;
  const ended = nextExit(live);
  await sendSignal(room, live, SIGNALS.SIGKILL, then);
  if (await within(ended, KILL_WAIT_MS)) return;
  room.log.warn({ container: live.id }, 'a container did not end by SIGKILL, killing its whole cgroup');
  killCgroup(cgroupOf(room.config, live.record));
  if (await within(ended, KILL_LAST_WAIT_MS)) return;
  throw new WharfError('internal', 'tried to kill container, but did not receive an exit event');
}

/** True when `promise` settles within `ms`. */
export async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  try {
    await withDeadline({ ms, what: 'The wait' }, () => promise);
    return true;
  } catch (error) {
    if (error instanceof WharfError && error.kind === 'deadline-exceeded') return false;
    throw error;
  }
}

/**
 * Sends a signal to the init process, with Docker's consequences for pause, restart policy and events. `stop`: it is the first
 * word of a stop, whatever the signal.
 */
export async function sendSignal(
  room: Room,
  live: LiveContainer,
  signal: number,
  then: ExitFollowUps,
  { stop = false } = {},
): Promise<void> {
  await locked(room, live, async () => {
    if (!live.isRunning) return;
    const stopsIt = isStopSignal(live, signal);
    live.keepsPolicy = !stop && keepsPolicy(live, signal);
    if (!room.closing) room.registry.saveState(live, { manuallyStopped: true });
    if (cancelRestart(room, live, then)) return;
    const { run } = live;
    if (run === undefined) return;
    if (signal !== SIGNALS.SIGKILL) await settle(room, run, signal);
    try {
      pidfdSendSignal(run.pidfd, signal);
    } catch (error) {
      // It ended by itself: its exit is about to be booked.
      if (!hasErrno(error, 'ESRCH')) throw error;
    }
    // A frozen process takes no signal, on v1 not even SIGKILL.
    if (stopsIt && live.record.state.status === 'paused') {
      await runtimeOf(room, live.record).resume(live.id);
      room.registry.saveState(live, { status: 'running' });
    }
    publish(room, live.record, 'kill', { signal: String(signal) });
  });
}

/**
 * Process 1 of a pid namespace ignores signals it has no handler for (pid_namespaces(7)): one sent before the program has got as far
 * as to set it up would be lost, and a stop would last its whole grace. A program that means to have none is waited for once.
 */
async function settle(room: Room, run: Run, signal: number): Promise<void> {
  for (;;) {
    const ranMs = Number((room.clock.nowNs() - run.startedAtNs) / 1_000_000n);
    if (ranMs < 0 || ranMs >= HANDLER_WAIT_MS || heedsSignal(run.pid, signal) || hasEnded(run.pid)) return;
    await room.clock.sleep(HANDLER_LOOK_MS);
  }
}

/**
 * Where a container names its stop signal, another one that ends it is a crash like any other to `always` and `on-failure`;
 * `unless-stopped` never restarts what the user sent a signal to.
 */
function keepsPolicy({ record: { config, hostConfig } }: LiveContainer, signal: number): boolean {
  const policy = hostConfig.RestartPolicy?.Name ?? '';
  if (!config.StopSignal || !['always', 'on-failure', 'unhealthy'].includes(policy)) return false;
  return signal !== SIGNALS.SIGKILL && parseSignal(config.StopSignal) !== signal;
}

function isStopSignal(live: LiveContainer, signal: number): boolean {
  if (signal === SIGNALS.SIGKILL) return true;
  const configured = live.record.config.StopSignal;
  return configured ? parseSignal(configured) === signal : signal === SIGNALS.SIGTERM;
}
