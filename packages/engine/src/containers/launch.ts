import { closeSync } from 'node:fs';
import { join } from 'node:path';
import { withDeadline } from '@wharf/kit';
import { expectCgroupMove } from '@wharf/linux/cgroup';
import { openPidfd } from '@wharf/linux/pidfd';
import type { Sandbox } from '../networks/network-service.ts';
import { ATTACH_SOCKET, CONTROL_FIFO } from '../runtime/monitor-arguments.ts';
import type { RuntimeMount } from '../volumes/volume-service.ts';
import type { ContainerRecord } from './container.ts';
import { hold, type NetworkPlace, placeNetwork, settleAll } from './hold.ts';
import { NETWORK_DEADLINE_MS } from './limits.ts';
import { linkEnvironment } from './links.ts';
import type { LiveContainer, Run } from './live.ts';
import { peerName, peerOf, withNetworkOwner } from './namespaces.ts';
import { pathsOf, type Room, runtimeOf } from './room.ts';
import { standardInput } from './standard-input.ts';
import { userOf } from './user-of.ts';

/** The specification says what only the network set up can tell: another's namespace, addresses of links, its sysctls. */
function specNeedsNetwork({ record }: LiveContainer): boolean {
  return (
    record.links !== undefined ||
    peerName(record.hostConfig.NetworkMode) !== undefined ||
    Object.keys(record.hostConfig.Sysctls ?? {}).length > 0
  );
}

/**
 * Brings a container's process up: mount, network, files, specification, monitor, runtime. The caller holds the lock and
 * books the result. On an error everything made is undone, and the error carries Docker's words (and, from the
 * runtime, an exit code).
 *
 * The runtime creates the process while links and addresses are made in its namespace.
 */
export async function launch(room: Room, live: LiveContainer, signal: AbortSignal): Promise<Run> {
  expectCgroupMove();
  await using undo = new AsyncDisposableStack();
  const place = specNeedsNetwork(live) ? undefined : placeNetwork(room, live, undo);
  const volumes = mountVolumes(room, live, undo);
  // Docker's events tell of volumes first; without any there is nothing to wait for.
  const network = volumes.then(() => setUpNetwork(room, live, undo));
  const [, , monitor] = await settleAll([
    volumes,
    network,
    hold(room, live, { network: place ?? network, volumes, signal }, undo),
  ]);
  room.volumes.mountsTaken(live.record);
  // A daemon that is killed from here on must find the addresses and ports of what it will find running.
  room.registry.save(live, live.record);
  const saved = room.store.committed();
  const { bundle } = pathsOf(room, live.id);
  const pidfd = openPidfd(monitor.processPid);
  undo.defer(() => closeSync(pidfd));
  const { config } = live.record;
  await live.streams.connect({
    attachSocketPath: join(bundle, ATTACH_SOCKET),
    controlFifoPath: join(bundle, CONTROL_FIFO),
    terminal: config.Tty === true,
    stdin: standardInput(live.record),
    stdinOnce: config.StdinOnce === true,
  });
  room.logs.open(live.record).attachMonitor(join(bundle, CONTROL_FIFO), monitor.pid);
  await saved;
  const startedAtNs = room.clock.nowNs();
  await runtimeOf(room, live.record).start(live.id);
  undo.move();
  return {
    monitorPid: monitor.pid,
    pid: monitor.processPid,
    pidfd,
    startedAtNs,
    monitorExited: monitor.exited,
  };
}

async function setUpNetwork(room: Room, live: LiveContainer, undo: AsyncDisposableStack): Promise<NetworkPlace> {
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
