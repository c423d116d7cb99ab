import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { formatRfc3339Nano, hasErrno, messageOf, parseRfc3339, Semaphore, TimeSlice, ZERO_TIME } from '@wharf/kit';
import { killCgroup } from '@wharf/linux/cgroup';
import { isMountPoint } from '@wharf/linux/mount';
import { openPidfd, watchExit } from '@wharf/linux/pidfd';
import { hasEnded, parentPidOf } from '@wharf/linux/proc';
import { ATTACH_SOCKET, CONTROL_FIFO, PID_FILE } from '../runtime/monitor-arguments.ts';
import type { ContainerRecord } from './container.ts';
import { clearRun, type ExitFollowUps, readOutcome, supervise, withoutAddress } from './exit.ts';
import { findMonitors, killMonitor } from './find-monitors.ts';
import { unmountShm } from './hold.ts';
import { RESTORE_CONCURRENCY } from './limits.ts';
import { LiveContainer, type Run } from './live.ts';
import { clearMappedBundles } from './mapped-bundle.ts';
import { forget } from './remove.ts';
import { startsWithDaemon } from './restart-policy.ts';
import { cgroupOf, inBackground, locked, newStreams, pathsOf, publish, type Room, runtimeOf } from './room.ts';
import { unmountRootfs } from './rootfs.ts';
import { standardInput } from './standard-input.ts';
import { startLocked } from './start.ts';
import { startInOrder } from './start-order.ts';
import { retryStart } from './start-retry.ts';

/** Loads all records, so that reads answer from here on. Synchronous. */
export function loadRecords(room: Room): void {
  for (const record of room.registry.stored()) {
    const live: LiveContainer = new LiveContainer(
      record,
      newStreams(room, () => live.record),
    );
    room.registry.add(live);
  }
}

/**
 * Makes the world and the books agree after a daemon start: adopts what runs, books what ended meanwhile, finishes what was
 * cut off, removes what belongs to nobody, and starts what its policy wants running. In slices: requests are answered meanwhile.
 */
export async function restoreContainers(room: Room, then: ExitFollowUps): Promise<void> {
  const monitors = await findMonitors(room.config.execRoot);
  const ended: LiveContainer[] = [];
  const slice = new TimeSlice();
  for (const live of room.registry.all()) {
    const monitor = monitors.get(live.id);
    if (monitor !== undefined) await slice.turn();
    try {
      if (!adopt(room, live, monitor)) ended.push(live);
    } catch (error) {
      room.log.error({ container: live.id, err: messageOf(error) }, 'a running container could not be adopted');
      ended.push(live);
    }
  }
  const running = room.registry.all().filter(({ run }) => run !== undefined);
  await room.networks.restore(running.map(({ record }) => record));
  await room.volumes.restore(room.registry.all().map(({ record }) => record));
  const places = new Semaphore(RESTORE_CONCURRENCY);
  const reconnected: Promise<void>[] = [];
  for (const live of running) {
    await slice.turn();
    reconnected.push(places.run(() => reconnect(room, live)));
    // Only from here on an end is booked: the networks' room takes back one after the other, with nothing going in between.
    if (live.run !== undefined) void supervise(room, live, live.run, then);
  }
  await Promise.all(reconnected);
  await endLateMonitors(room);
  await Promise.all(ended.map((live) => places.run(() => settle(room, live, then))));
  await removeStrays(room, monitors);
  room.restored.resolve();
  inBackground(room, 'starting containers by policy', startByPolicy(room, then));
}

/** A daemon killed in the middle of a start may leave a monitor that is seen only a moment after we looked. */
async function endLateMonitors(room: Room): Promise<void> {
  const adopted = new Set(room.registry.all().flatMap(({ run }) => run?.monitorPid ?? []));
  for (const pid of (await findMonitors(room.config.execRoot)).values()) if (!adopted.has(pid)) killMonitor(pid);
}

/** Takes a running container over. False when it does not run, or only half does. */
function adopt(room: Room, live: LiveContainer, monitorPid: number | undefined): boolean {
  if (monitorPid === undefined) return false;
  const pid = processOf(room, live.id, monitorPid);
  const halfMade = pid !== undefined && runtimeOf(room, live.record).isWaiting(live.id);
  if (pid === undefined || halfMade) {
    // Created and never started: nobody was told that it runs.
    killMonitor(monitorPid);
    killCgroup(cgroupOf(room.config, live.record));
    return false;
  }
  const { state } = live.record;
  const watch = watchExit(monitorPid);
  watch.unref();
  const wasBooked = state.pid === pid;
  const startedAt = wasBooked ? state.startedAt : formatRfc3339Nano(room.clock.nowNs());
  const run: Run = {
    monitorPid,
    pid,
    pidfd: openPidfd(pid),
    startedAtNs: parseRfc3339(startedAt) ?? room.clock.nowNs(),
    monitorExited: watch.promise,
  };
  live.run = run;
  live.rootfsUsers = 1;
  if (!wasBooked) {
    room.registry.saveState(live, { status: 'running', pid, monitorPid, startedAt, hasBeenStarted: true, error: '' });
  }
  return true;
}

/** The init process of a monitor: in the pid file, and truly its child. */
function processOf(room: Room, id: string, monitorPid: number): number | undefined {
  try {
    const pid = Number(readFileSync(join(pathsOf(room, id).bundle, PID_FILE), 'utf8').trim());
    if (!Number.isInteger(pid) || pid <= 0) return undefined;
    return parentPidOf(pid) === monitorPid || hasEnded(pid) ? pid : undefined;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function reconnect(room: Room, live: LiveContainer): Promise<void> {
  const { bundle } = pathsOf(room, live.id);
  const { config } = live.record;
  try {
    const log = room.logs.open(live.record);
    await log.prepare();
    log.attachMonitor(join(bundle, CONTROL_FIFO), live.record.state.monitorPid);
    await live.streams.connect({
      attachSocketPath: join(bundle, ATTACH_SOCKET),
      controlFifoPath: join(bundle, CONTROL_FIFO),
      terminal: config.Tty === true,
      stdin: standardInput(live.record),
      stdinOnce: config.StdinOnce === true,
    });
  } catch (error) {
    // It may be ending at this moment; then its exit is booked next.
    room.log.warn({ container: live.id, err: messageOf(error) }, 'the streams of a container could not be taken over');
  }
  if (live.record.state.status === 'running') room.health.resume(live.record);
}

/** Books what a container that does not run went through while no daemon looked. */
async function settle(room: Room, live: LiveContainer, then: ExitFollowUps): Promise<void> {
  try {
    const { state, hostConfig } = live.record;
    if (state.status === 'removing' || state.status === 'dead') {
      await clearLeftovers(room, live);
      await locked(room, live, () => forget(room, live, hostConfig.AutoRemove === true));
      return;
    }
    // The start is on disk only some milliseconds later; an exit file stays until its exit is, so it tells of a run that was never booked.
    // Not one of a process that ended before its start: that was only ever created.
    const hasExited = existsSync(pathsOf(room, live.id).exitFile) && !runtimeOf(room, live.record).isWaiting(live.id);
    const wasRunning = live.isRunning || hasExited;
    if (wasRunning) await bookMissedExit(room, live);
    await clearLeftovers(room, live);
    if (hostConfig.AutoRemove === true && (wasRunning || state.hasBeenStarted)) await then.autoRemove(live);
  } catch (error) {
    room.log.error({ container: live.id, err: messageOf(error) }, 'a container could not be settled');
  }
}

const LOST = 255;

async function bookMissedExit(room: Room, live: LiveContainer): Promise<void> {
  const { exitCode, oomKilled } = readOutcome(room, live);
  const wasWaiting = live.record.state.status === 'restarting';
  await room.logs.open(live.record).finish();
  await room.networks.tearDown(live.record);
  const { state } = live.record;
  room.registry.save(live, {
    ...live.record,
    ports: {},
    endpoints: live.record.endpoints.map(withoutAddress),
    state: {
      ...state,
      status: 'exited',
      pid: 0,
      monitorPid: 0,
      // Without a file the machine went down with it.
      exitCode: wasWaiting ? state.exitCode : (exitCode ?? LOST),
      oomKilled: oomKilled || state.oomKilled,
      hasBeenStarted: true,
      startedAt: state.startedAt === ZERO_TIME ? finishedAt(room, live) : state.startedAt,
      finishedAt: wasWaiting ? state.finishedAt : finishedAt(room, live),
    },
  });
  if (!wasWaiting) publish(room, live.record, 'die', { exitCode: String(live.record.state.exitCode) });
}

function finishedAt(room: Room, live: LiveContainer): string {
  try {
    const { mtimeNs } = statSync(pathsOf(room, live.id).exitFile, { bigint: true });
    return formatRfc3339Nano(mtimeNs);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return formatRfc3339Nano(room.clock.nowNs());
    throw error;
  }
}

/** Runtime state, mounts and files of a run that is over. */
async function clearLeftovers(room: Room, live: LiveContainer): Promise<void> {
  live.rootfsUsers = 0;
  clearRun(room, live);
  await live.cleared;
}

/** Removes what belongs to no record: bundles with their mounts and processes, exit files, directories, snapshots. */
async function removeStrays(room: Room, monitors: ReadonlyMap<string, number>): Promise<void> {
  const known = (id: string) => room.registry.byId(id) !== undefined;
  const bundles = join(room.config.execRoot, 'containers');
  clearMappedBundles(room);
  for (const id of entries(bundles)) {
    if (known(id)) continue;
    await step(room, id, async () => {
      const monitor = monitors.get(id);
      if (monitor !== undefined) killMonitor(monitor);
      for (const name of room.runtimes.names) await room.runtimes.get(name).delete(id);
      unmountShm(room, id);
      await unmountRootfs(room, id);
      if (!isMountPoint(pathsOf(room, id).rootfs)) await rm(join(bundles, id), { recursive: true, force: true });
    });
  }
  for (const id of entries(room.exitDirectory)) if (!known(id)) rmSync(join(room.exitDirectory, id), { force: true });
  const data = join(room.config.dataRoot, 'containers');
  for (const id of entries(data)) {
    if (!known(id)) await step(room, id, () => rm(join(data, id), { recursive: true, force: true }));
  }
  for (const { key, kind } of room.snapshots.list()) {
    // Only what looks like a container's: others' keys are theirs to judge.
    if (kind === 'active' && /^[0-9a-f]{64}$/.test(key) && !known(key)) {
      await step(room, key, () => room.snapshots.remove(key));
    }
  }
}

async function step(room: Room, id: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    room.log.info({ container: id }, 'removed what was left of an unknown container');
  } catch (error) {
    room.log.error({ container: id, err: messageOf(error) }, 'the rest of an unknown container could not be removed');
  }
}

function entries(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Starts, after all is settled, what policies want: each after what it depends on. */
async function startByPolicy(room: Room, then: ExitFollowUps): Promise<void> {
  const wanted = room.registry.all().filter((live) => !live.isRunning && !live.gone && isWanted(live.record));
  const places = new Semaphore(RESTORE_CONCURRENCY);
  await startInOrder(room, wanted, (live) =>
    places.run(async () => {
      try {
        await locked(room, live, async () => {
          if (live.isRunning || live.gone || live.removing || room.closing) return;
          await startLocked(room, live, then);
        });
      } catch (error) {
        room.log.warn({ container: live.id, err: messageOf(error) }, 'a container could not be started again');
        await retryStart(room, live, error, then);
      }
    }),
  );
}

function isWanted({ state, hostConfig }: ContainerRecord): boolean {
  if (!state.hasBeenStarted || state.startedAt === ZERO_TIME) return false;
  return startsWithDaemon({
    policy: {
      name: hostConfig.RestartPolicy?.Name ?? 'no',
      maximumRetries: hostConfig.RestartPolicy?.MaximumRetryCount ?? 0,
    },
    exitCode: state.exitCode,
    manuallyStopped: state.manuallyStopped,
    restartCount: state.restartCount,
  });
}
