import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, messageOf, withDeadline } from '@wharf/kit';
import { isMountPoint, MS, mount, unmount } from '@wharf/linux/mount';
import { SIGNALS } from '@wharf/linux/signals';
import type { MonitorLog } from '../logs/log-service.ts';
import { filesIn } from '../networks/files.ts';
import type { NetworkFiles } from '../networks/network-service.ts';
import { launchMonitor, type Monitor, RuntimeRefusal } from '../runtime/monitor.ts';
import { ATTACH_SOCKET, CONTROL_FIFO, OOM_FILE } from '../runtime/monitor-arguments.ts';
import { buildSpec, type NamespaceChoice, stringifySpec } from '../runtime/oci-spec/build.ts';
import type { Spec } from '../runtime/oci-spec/spec.ts';
import { createFailure } from '../runtime/runtime-error.ts';
import type { RuntimeMount } from '../volumes/volume-service.ts';
import { placeDockerFiles } from './docker-files.ts';
import { initProgram } from './init-program.ts';
import { MONITOR_LEAVES_MS } from './limits.ts';
import type { LiveContainer } from './live.ts';
import { giveStdio, mapBundle } from './mapped-bundle.ts';
import { type NamespacePlan, planNamespaces } from './namespaces.ts';
import { cgroupPlaceOf, pathsOf, type Room, runtimeOf } from './room.ts';
import { acquireRootfs, releaseRootfs } from './rootfs.ts';
import { standardInput } from './standard-input.ts';
import { userIn } from './user-lookup.ts';

/** What the specification says of the network: where it is, not what is in it. */
export interface NetworkPlace {
  readonly choice: NamespaceChoice;
  readonly files: NetworkFiles;
}

export interface HoldInputs {
  readonly network: NetworkPlace | Promise<NetworkPlace>;
  readonly volumes: Promise<readonly RuntimeMount[]>;
  /** Gives up at once and kills the runtime. */
  readonly signal: AbortSignal;
}

/**
 * Has the runtime create a container's process, which is then held before its first instruction: mount, specification,
 * monitor, `create`. Whatever it makes it also registers with `undo`, so the caller undoes it, on an error too.
 * Errors carry Docker's words and, from the runtime, an exit code.
 */
export async function hold(
  room: Room,
  live: LiveContainer,
  inputs: HoldInputs,
  undo: AsyncDisposableStack,
): Promise<Monitor> {
  const paths = pathsOf(room, live.id);
  const namespaces = planNamespaces(room, live.record);
  const rootfs = await acquireRootfs(room, live);
  undo.defer(() => releaseRootfs(room, live));
  rmSync(paths.exitFile, { force: true });
  if (!live.record.state.hasBeenStarted) placeDockerFiles(rootfs);
  const [network, volumes, monitorLog] = await settleAll([
    Promise.resolve(inputs.network),
    inputs.volumes,
    room.logs.open(live.record).prepare(),
  ]);
  if (namespaces.makeShm) makeShm(room, live, undo);
  const spec = writeSpec(room, live, { rootfs, network, volumes, namespaces });
  const runtime = runtimeOf(room, live.record);
  const monitor = await createProcess(room, live, monitorLog, inputs.signal).finally(() => spec[Symbol.dispose]());
  undo.defer(() => letGo(room, live, monitor));
  giveStdio(live.record, monitor.processPid);
  runtime.learn(live.id, spec);
  return monitor;
}

/** As `Promise.all`, but settles only when all have: what one undoes, the others must not still be making. */
export async function settleAll<A, B, C>(
  work: readonly [Promise<A>, Promise<B>, Promise<C>],
): Promise<readonly [A, B, C]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/** Ends a process that was held. The monitor first, so that it leaves no exit file: nothing has ever run. */
async function letGo(room: Room, live: LiveContainer, monitor: Monitor): Promise<void> {
  monitor.kill(SIGNALS.SIGKILL);
  await runtimeOf(room, live.record).delete(live.id);
  await withDeadline({ ms: MONITOR_LEAVES_MS, what: 'The end of a monitor' }, () => monitor.exited);
  rmSync(pathsOf(room, live.id).exitFile, { force: true });
}

/** A namespace and files for the network to come, nothing in them yet. */
export function placeNetwork(room: Room, live: LiveContainer, undo: AsyncDisposableStack): NetworkPlace {
  const { record } = live;
  const { data } = pathsOf(room, live.id);
  undo.defer(() => room.networks.tearDown(record));
  const path = room.networks.prepare(record);
  mkdirSync(data, { recursive: true, mode: 0o710 });
  const files = filesIn(data);
  placeNetworkFiles(files, undo);
  return { choice: path === undefined ? 'host' : { path }, files };
}

/** The files that will be filled once addresses are known; the runtime mounts them, so they must be there before. */
function placeNetworkFiles(files: NetworkFiles, undo: AsyncDisposableStack): void {
  for (const path of Object.values<string>({ ...files })) {
    try {
      writeFileSync(path, '', { flag: 'wx', mode: 0o644 });
      undo.defer(() => rmSync(path, { force: true }));
    } catch (error) {
      if (!hasErrno(error, 'EEXIST')) throw error;
    }
  }
}

function makeShm(room: Room, live: LiveContainer, undo: AsyncDisposableStack): void {
  const path = join(pathsOf(room, live.id).bundle, 'shm');
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (!isMountPoint(path)) {
    const size = live.record.hostConfig.ShmSize || room.config.defaultShmSizeBytes;
    mount({
      source: 'shm',
      target: path,
      type: 'tmpfs',
      flags: MS.NOSUID | MS.NOEXEC | MS.NODEV,
      data: `mode=1777,size=${size}`,
    });
  }
  undo.defer(() => unmountShm(room, live.id));
}

/** Takes a shared /dev/shm down, if there is one. Never throws. */
export function unmountShm(room: Room, id: string): void {
  const path = join(pathsOf(room, id).bundle, 'shm');
  try {
    if (isMountPoint(path)) unmount(path, { detach: true });
  } catch (error) {
    room.log.warn({ container: id, err: messageOf(error) }, 'a shm mount could not be taken down');
  }
}

function writeSpec(
  room: Room,
  live: LiveContainer,
  made: {
    readonly rootfs: string;
    readonly network: NetworkPlace;
    readonly volumes: readonly RuntimeMount[];
    readonly namespaces: NamespacePlan;
  },
): Spec & Disposable {
  const { record } = live;
  const { namespaces } = made;
  const built = buildSpec({
    record,
    host: room.host,
    user: userIn(made.rootfs, record.config.User ?? '', record.hostConfig.GroupAdd ?? []),
    namespaces: { ...namespaces, network: made.network.choice },
    networkFiles: made.network.files,
    volumes: made.volumes,
    shmPath: namespaces.shmPath,
    shmSizeBytes: record.hostConfig.ShmSize || room.config.defaultShmSizeBytes,
    initPath: record.hostConfig.Init === true ? initProgram(room.config) : undefined,
    cgroupsPath: cgroupPlaceOf(room.config, record).specPath,
    cdiSpecDirs: room.config.cdiSpecDirs,
    defaultUlimits: room.config.defaultUlimits,
  });
  const spec = mapBundle(room, live, built);
  // Not made durable: the exec root is lost at a reboot together with the process.
  writeFileSync(join(pathsOf(room, live.id).bundle, 'config.json'), stringifySpec(runtimeOf(room, record).tune(spec)), {
    mode: 0o600,
  });
  return spec;
}

async function createProcess(room: Room, live: LiveContainer, log: MonitorLog, signal: AbortSignal): Promise<Monitor> {
  const { record } = live;
  const { config } = record;
  const paths = pathsOf(room, live.id);
  const runtime = runtimeOf(room, record);
  // conmon makes these anew, and a mark of the last run must not be taken for one of this.
  for (const name of [OOM_FILE, ATTACH_SOCKET, CONTROL_FIFO]) rmSync(join(paths.bundle, name), { force: true });
  try {
    return await launchMonitor({
      monitorPath: room.runtimes.monitorPath,
      runtime,
      containerId: live.id,
      name: record.name,
      directory: paths.bundle,
      log,
      terminal: config.Tty === true,
      stdin: standardInput(record) !== false,
      leaveStdinOpen: config.OpenStdin === true && config.StdinOnce !== true,
      exitDirectory: room.exitDirectory,
      signal,
    });
  } catch (error) {
    await runtime.delete(live.id);
    if (error instanceof RuntimeRefusal) throw createFailure(runtime.name, error.message, record.path);
    throw error;
  }
}
