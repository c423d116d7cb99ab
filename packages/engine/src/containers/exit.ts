import { closeSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { formatRfc3339Nano, hasErrno, messageOf, withDeadline } from '@wharf/kit';
import { killCgroup } from '@wharf/linux/cgroup';
import { watchExit } from '@wharf/linux/pidfd';
import type { EndpointSettings } from '@wharf/wire/docker/types';
import { askedMac } from '../networks/endpoint-settings.ts';
import { OOM_FILE } from '../runtime/monitor-arguments.ts';
import { unmountShm } from './hold.ts';
import { DRAIN_DEADLINE_MS, LOG_FINISH_DEADLINE_MS, NETWORK_DEADLINE_MS } from './limits.ts';
import type { LiveContainer, Run } from './live.ts';
import { OomWatch } from './oom-watch.ts';
import { decideRestart } from './restart-policy.ts';
import { cgroupOf, inBackground, locked, newStreams, pathsOf, publish, type Room, runtimeOf } from './room.ts';
import { releaseRootfs } from './rootfs.ts';

/** What follows the end of a run; set by the composition of the room, since starting and removing stand on supervision. */
export interface ExitFollowUps {
  /** Starts again after the delay, unless stopped meanwhile. */
  scheduleRestart(live: LiveContainer, delayMs: number): void;
  /** Removes a container made with `--rm`. */
  autoRemove(live: LiveContainer): Promise<void>;
}

/** Watches a run to its end and books it. Resolves once booked; never rejects. */
export async function supervise(room: Room, live: LiveContainer, run: Run, then: ExitFollowUps): Promise<void> {
  const init = watchExit(run.pid);
  init.unref();
  const oom = new OomWatch(room, live);
  void init.promise.then(() => live.streams.processExited());
  try {
    await run.monitorExited;
    oom.close();
    // The daemon's end makes all watches resolve or stay; the next daemon books what happens from here on.
    if (room.closing) return;
    await handleExit(room, live, run, then);
  } catch (error) {
    room.log.error({ container: live.id, err: messageOf(error) }, 'the end of a container could not be booked');
    live.streams.close();
  } finally {
    init.close();
  }
}

/** Books the end of a run whose monitor is gone. */
export async function handleExit(room: Room, live: LiveContainer, run: Run, then: ExitFollowUps): Promise<void> {
  const outcome = readOutcome(room, live);
  if (outcome.exitCode === undefined) killCgroup(cgroupOf(room.config, live.record));
  live.streams.processExited();
  room.health.stop(live.id);
  room.execs().forget(live.id);
  await finishOutput(room, live);
  await locked(room, live, () => bookExit(room, live, run, then, outcome));
}

interface Outcome {
  /** `undefined` when the monitor died and left none. */
  readonly exitCode: number | undefined;
  readonly oomKilled: boolean;
}

export function readOutcome(room: Room, live: LiveContainer): Outcome {
  const paths = pathsOf(room, live.id);
  let exitCode: number | undefined;
  try {
    const code = Number(readFileSync(paths.exitFile, 'utf8').trim());
    if (Number.isInteger(code)) exitCode = code < 0 ? 255 : code;
  } catch (error) {
    if (!hasErrno(error, 'ENOENT')) throw error;
  }
  return { exitCode, oomKilled: existsSync(join(paths.bundle, OOM_FILE)) };
}

/** Every byte is with the clients and in the log before anyone hears of the exit; each within its deadline. */
async function finishOutput(room: Room, live: LiveContainer): Promise<void> {
  await Promise.all([
    withDeadline({ ms: DRAIN_DEADLINE_MS, what: 'Flushing the clients' }, () => live.streams.drained),
    withDeadline({ ms: LOG_FINISH_DEADLINE_MS, what: 'Finishing the log' }, () => room.logs.open(live.record).finish()),
  ]).catch((error: unknown) => {
    room.log.warn({ container: live.id, err: messageOf(error) }, 'the output of a container may be incomplete');
  });
}

const KILLED = 137;

async function bookExit(
  room: Room,
  live: LiveContainer,
  run: Run,
  then: ExitFollowUps,
  outcome: Outcome,
): Promise<void> {
  if (live.run !== run) return;
  const exitCode = outcome.exitCode ?? KILLED;
  const finishedAtNs = room.clock.nowNs();
  await releaseNetwork(room, live);
  await unmountVolumes(room, live);
  const { state, hostConfig } = live.record;
  const ranMs = Number((finishedAtNs - run.startedAtNs) / 1_000_000n);
  const decision =
    room.closing || live.restartingByHand || live.removing
      ? ({ restart: false } as const)
      : decideRestart({
          policy: {
            name: hostConfig.RestartPolicy?.Name ?? 'no',
            maximumRetries: hostConfig.RestartPolicy?.MaximumRetryCount ?? 0,
          },
          exitCode,
          manuallyStopped: state.manuallyStopped && !live.keepsPolicy,
          restartCount: state.restartCount,
          ranMs,
          lastDelayMs: live.lastRestartDelayMs,
        });
  live.run = undefined;
  closeSync(run.pidfd);
  const { streams } = live;
  live.streams = newStreams(room, () => live.record);
  room.registry.save(live, {
    ...live.record,
    ports: {},
    state: {
      ...live.record.state,
      status: decision.restart ? 'restarting' : live.removing ? 'removing' : 'exited',
      pid: 0,
      monitorPid: 0,
      exitCode,
      oomKilled: outcome.oomKilled || live.record.state.oomKilled,
      finishedAt: formatRfc3339Nano(finishedAtNs),
      restartCount: state.restartCount + (decision.restart ? 1 : 0),
      health: state.health,
    },
  });
  if (outcome.oomKilled) publish(room, live.record, 'oom');
  publish(room, live.record, 'die', { exitCode: String(exitCode), execDuration: String(Math.floor(ranMs / 1000)) });
  clearRun(room, live);
  streams.close();
  live.waiters.exited({ exitCode });
  if (decision.restart) {
    live.lastRestartDelayMs = decision.delayMs;
    then.scheduleRestart(live, decision.delayMs);
  } else if (hostConfig.AutoRemove === true && !live.restartingByHand && !live.removing) {
    inBackground(room, `removing container ${live.id}`, then.autoRemove(live));
  }
}

/** Addresses and ports are free before anyone hears of the exit, so that the next container can have them. */
async function releaseNetwork(room: Room, live: LiveContainer): Promise<void> {
  try {
    await withDeadline({ ms: NETWORK_DEADLINE_MS, what: 'Taking the network down' }, () =>
      room.networks.tearDown(live.record),
    );
  } catch (error) {
    room.log.error({ container: live.id, err: messageOf(error) }, 'a network could not be taken down');
  }
  live.record = { ...live.record, endpoints: live.record.endpoints.map(withoutAddress) };
}

/** Before anyone hears of the exit, as Docker's events have it. What fails here is tried again by `clearRun`. */
async function unmountVolumes(room: Room, live: LiveContainer): Promise<void> {
  if (live.record.mounts.length === 0) return;
  try {
    await room.volumes.unmount(live.record);
  } catch (error) {
    room.log.warn({ container: live.id, err: messageOf(error) }, 'a volume could not be unmounted yet');
  }
}

/** An endpoint of a container that does not run: what was asked for stays, what was given goes. */
export function withoutAddress<T extends { readonly settings: EndpointSettings }>(endpoint: T): T {
  return {
    ...endpoint,
    settings: {
      ...endpoint.settings,
      EndpointID: '',
      Gateway: '',
      IPAddress: '',
      IPPrefixLen: 0,
      IPv6Gateway: '',
      GlobalIPv6Address: '',
      GlobalIPv6PrefixLen: 0,
      MacAddress: askedMac(endpoint.settings),
    },
  };
}

/**
 * Clears what the run leaves. `live.unmounted` is done when nothing of it is mounted any more, which a removal waits for;
 * `live.cleared` when runtime state, cgroup and files are gone too, which only the next start waits for.
 */
export function clearRun(room: Room, live: LiveContainer): void {
  live.unmounted = inSteps(room, live, [
    () => room.volumes.unmount(live.record),
    () => unmountShm(room, live.id),
    () => releaseRootfs(room, live),
  ]);
  const { unmounted } = live;
  live.cleared = inSteps(room, live, [
    () => runtimeOf(room, live.record).delete(live.id),
    () => unmounted,
    () => room.store.committed(),
    // The record says now what these said.
    () => rmSync(pathsOf(room, live.id).exitFile, { force: true }),
    () => rmSync(join(pathsOf(room, live.id).bundle, OOM_FILE), { force: true }),
  ]);
}

/** Does each step whatever became of the one before; never rejects. */
async function inSteps(room: Room, live: LiveContainer, steps: readonly (() => Promise<void> | void)[]): Promise<void> {
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      room.log.error({ container: live.id, err: messageOf(error) }, 'clearing a run left something');
    }
  }
}
