import { closeSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, withDeadline } from '@wharf/kit';
import { isMountPoint, MS, mount, unmount } from '@wharf/linux/mount';
import { openPidfd } from '@wharf/linux/pidfd';
import type { MonitorLog } from '../logs/log-service.ts';
import type { NetworkFiles, Sandbox } from '../networks/network-service.ts';
import { launchMonitor, type Monitor, RuntimeRefusal } from '../runtime/monitor.ts';
import { ATTACH_SOCKET, CONTROL_FIFO } from '../runtime/monitor-arguments.ts';
import { buildSpec, type NamespaceChoice, stringifySpec } from '../runtime/oci-spec/build.ts';
import type { Spec } from '../runtime/oci-spec/spec.ts';
import { createFailure } from '../runtime/runtime-error.ts';
import type { RuntimeMount } from '../volumes/volume-service.ts';
import type { ContainerRecord } from './container.ts';
import { initProgram } from './init-program.ts';
import { NETWORK_DEADLINE_MS } from './limits.ts';
import { linkEnvironment } from './links.ts';
import type { LiveContainer, Run } from './live.ts';
import { type NamespacePlan, peerOf, planNamespaces, withNetworkOwner } from './namespaces.ts';
import { cgroupPlaceOf, pathsOf, type Room, runtimeOf } from './room.ts';
import { acquireRootfs, releaseRootfs } from './rootfs.ts';
import { userIn } from './user-lookup.ts';
import { userOf } from './user-of.ts';

/**
 * Brings a container's process up: mount, network, files, specification, monitor, runtime. The caller holds the lock and
 * books the result. On an error everything made is undone, and the error carries Docker's words (and, from the
 * runtime, an exit code).
 */
export async function launch(room: Room, live: LiveContainer): Promise<Run> {
  await using undo = new AsyncDisposableStack();
  const paths = pathsOf(room, live.id);
  const namespaces = planNamespaces(room, live.record);
  const rootfs = await acquireRootfs(room, live);
  undo.defer(() => releaseRootfs(room, live));
  rmSync(paths.exitFile, { force: true });
  const volumes = mountVolumes(room, live, undo);
  const [network, mounts, monitorLog] = await settleAll([
    // Docker's events tell of volumes first; without any there is nothing to wait for.
    volumes.then(() => setUpNetwork(room, live, undo)),
    volumes,
    room.logs.open(live.record).prepare(),
  ]);
  if (namespaces.makeShm) makeShm(room, live, undo);
  const spec = writeSpec(room, live, { rootfs, network, volumes: mounts, namespaces });
  // A daemon that is killed from here on must find the addresses and ports of what it will find running. The runtime takes
  // longer than the disk.
  room.registry.save(live, live.record);
  const saved = room.store.committed();
  saved.catch(() => undefined);
  const monitor = await createProcess(room, live, monitorLog);
  room.volumes.mountsTaken(live.record);
  const runtime = runtimeOf(room, live.record);
  undo.defer(() => runtime.delete(live.id));
  runtime.learn(live.id, spec);
  const pidfd = openPidfd(monitor.processPid);
  undo.defer(() => closeSync(pidfd));
  room.logs.open(live.record).attachMonitor(join(paths.bundle, CONTROL_FIFO), monitor.pid);
  await saved;
  const startedAtNs = room.clock.nowNs();
  await runtime.start(live.id);
  undo.move();
  return {
    monitorPid: monitor.pid,
    pid: monitor.processPid,
    pidfd,
    startedAtNs,
    monitorExited: monitor.exited,
  };
}

/** As `Promise.all`, but settles only when all have: what one undoes, the others must not still be making. */
async function settleAll<A, B, C>(work: readonly [Promise<A>, Promise<B>, Promise<C>]): Promise<[A, B, C]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

interface Network {
  readonly choice: NamespaceChoice;
  readonly files: NetworkFiles;
}

async function setUpNetwork(room: Room, live: LiveContainer, undo: AsyncDisposableStack): Promise<Network> {
  const { record } = live;
  const paths = pathsOf(room, live.id);
  const peer = peerOf(room, record, record.hostConfig.NetworkMode, 'network');
  const linked = record.links ? linkEnvironment(record, (id) => room.registry.byId(id)?.record) : undefined;
  const sandbox: Sandbox = await withDeadline({ ms: NETWORK_DEADLINE_MS, what: 'Setting up the network' }, () =>
    room.networks.setUp(record, { containerDir: paths.data, peer: peer?.record }),
  );
  undo.defer(async () => {
    await room.networks.tearDown(record);
    live.record = { ...live.record, endpoints: record.endpoints, ports: {} };
  });
  live.record = {
    ...live.record,
    endpoints: sandbox.endpoints,
    ports: sandbox.ports,
    ...(linked ? { linkEnvironment: linked } : {}),
    // One network, one name: the two know each other's addresses by it.
    ...(peer ? { config: { ...live.record.config, ...nameOf(peer.record) } } : {}),
  };
  const files = await room.networks.writeFiles(withNetworkOwner(room, live.record), paths.data);
  return { choice: sandbox.netnsPath === undefined ? 'host' : { path: sandbox.netnsPath }, files };
}

const nameOf = ({ config: { Hostname, Domainname } }: ContainerRecord) => ({
  ...(Hostname === undefined ? {} : { Hostname }),
  ...(Domainname === undefined ? {} : { Domainname }),
});

async function mountVolumes(
  room: Room,
  live: LiveContainer,
  undo: AsyncDisposableStack,
): Promise<readonly RuntimeMount[]> {
  const mounts = await room.volumes.runtimeMounts(live.record, { userOf: (user) => userOf(room, live, user) });
  undo.defer(() => room.volumes.unmount(live.record));
  return mounts;
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
    readonly network: Network;
    readonly volumes: readonly RuntimeMount[];
    readonly namespaces: NamespacePlan;
  },
): Spec {
  const { record } = live;
  const { namespaces } = made;
  const spec = buildSpec({
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
  // Not made durable: the exec root is lost at a reboot together with the process.
  writeFileSync(join(pathsOf(room, live.id).bundle, 'config.json'), stringifySpec(runtimeOf(room, record).tune(spec)));
  return spec;
}

async function createProcess(room: Room, live: LiveContainer, log: MonitorLog): Promise<Monitor> {
  const { record } = live;
  const { config } = record;
  const paths = pathsOf(room, live.id);
  const runtime = runtimeOf(room, record);
  // conmon makes these anew, and a mark of the last run must not be taken for one of this.
  for (const name of ['oom', ATTACH_SOCKET, CONTROL_FIFO]) rmSync(join(paths.bundle, name), { force: true });
  try {
    return await launchMonitor(
      {
        monitorPath: room.runtimes.monitorPath,
        runtime,
        containerId: live.id,
        name: record.name,
        directory: paths.bundle,
        log,
        terminal: config.Tty === true,
        stdin: config.OpenStdin === true,
        leaveStdinOpen: config.StdinOnce !== true,
        exitDirectory: room.exitDirectory,
      },
      () =>
        live.streams.connect({
          attachSocketPath: join(paths.bundle, ATTACH_SOCKET),
          controlFifoPath: join(paths.bundle, CONTROL_FIFO),
          terminal: config.Tty === true,
          stdin: config.OpenStdin === true,
          stdinOnce: config.StdinOnce === true,
        }),
    );
  } catch (error) {
    await runtime.delete(live.id);
    if (error instanceof RuntimeRefusal) throw createFailure(runtime.name, error.message, record.path);
    throw error;
  }
}
