import { WharfError } from '@wharf/kit';
import { containerNotRunning, containerRestarting, noSuchContainer } from '@wharf/wire/docker/messages';
import type { NamespaceChoice } from '../runtime/oci-spec/build.ts';
import type { ContainerRecord } from './container.ts';
import type { LiveContainer } from './live.ts';
import { pathsOf, type Room } from './room.ts';

/** The container that `container:x` of a namespace mode names; it must run. Throws in Docker's words. */
export function peerOf(
  room: Room,
  record: ContainerRecord,
  mode: string | undefined,
  what: 'network' | 'IPC' | 'PID',
): LiveContainer | undefined {
  const name = peerName(mode);
  if (name === undefined) return undefined;
  const peer = room.registry.find(name);
  if (peer === undefined) throw new WharfError('not-found', noSuchContainer(name));
  if (peer.id === record.id) throw new WharfError('invalid-argument', `cannot join own ${what} namespace`);
  const { status } = peer.record.state;
  if (status === 'restarting') throw new WharfError('conflict', containerRestarting(peer.id));
  if (peer.run !== undefined) return peer;
  if (what === 'network') {
    throw new WharfError(
      'conflict',
      `cannot join network namespace of a non running container: container ${peer.record.name} is ${status}`,
    );
  }
  throw new WharfError('internal', `failed to join ${what} namespace: ${containerNotRunning(name)}`);
}

/** `x` of `container:x`. */
export function peerName(mode: string | undefined): string | undefined {
  return mode?.startsWith('container:') === true ? mode.slice('container:'.length) : undefined;
}

/**
 * The record with its network mode naming the container whose network it is in the end: `container:x` may name one that
 * itself shares another's.
 */
export function withNetworkOwner(room: Room, record: ContainerRecord): ContainerRecord {
  const seen = new Set<string>([record.id]);
  let owner = record;
  for (;;) {
    const name = peerName(owner.hostConfig.NetworkMode);
    const next = name === undefined ? undefined : room.registry.find(name)?.record;
    if (next === undefined || seen.has(next.id)) break;
    seen.add(next.id);
    owner = next;
  }
  if (owner === record) return record;
  return { ...record, hostConfig: { ...record.hostConfig, NetworkMode: `container:${owner.id}` } };
}

export interface NamespacePlan {
  readonly pid: NamespaceChoice;
  readonly ipc: NamespaceChoice;
  readonly uts: NamespaceChoice;
  readonly cgroup: NamespaceChoice;
  readonly user: NamespaceChoice;
  /** A host directory that becomes /dev/shm. */
  readonly shmPath: string | undefined;
  /** The container shares its shm, so one must be made for it at `shmPath`. */
  readonly makeShm: boolean;
}

/** What the modes of a HostConfig mean now, with the peers there are. */
export function planNamespaces(room: Room, record: ContainerRecord): NamespacePlan {
  const { hostConfig } = record;
  const pidPeer = peerOf(room, record, hostConfig.PidMode, 'PID');
  const ipcPeer = peerOf(room, record, hostConfig.IpcMode, 'IPC');
  if (ipcPeer !== undefined && ipcPeer.record.hostConfig.IpcMode !== 'shareable') {
    throw new WharfError(
      'invalid-argument',
      `can't join IPC of container ${ipcPeer.id}: non-shareable IPC (hint: use IpcMode:shareable for the donor container)`,
    );
  }
  const networkPeer = peerOf(room, record, hostConfig.NetworkMode, 'network');
  const own = pathsOf(room, record.id);
  const ipcMode = hostConfig.IpcMode ?? '';
  return {
    pid: hostConfig.PidMode === 'host' ? 'host' : ofPeer(pidPeer, 'pid'),
    ipc: ipcMode === 'host' ? 'host' : ofPeer(ipcPeer, 'ipc'),
    uts: hostConfig.UTSMode === 'host' ? 'host' : 'private',
    cgroup: hostConfig.CgroupnsMode === 'host' ? 'host' : 'private',
    user: record.userNamespace === undefined ? 'host' : (joined(networkPeer, 'user') ?? { path: own.userNamespace }),
    shmPath:
      ipcMode === 'host'
        ? '/dev/shm'
        : ipcPeer !== undefined
          ? `${pathsOf(room, ipcPeer.id).bundle}/shm`
          : ipcMode === 'shareable'
            ? `${own.bundle}/shm`
            : undefined,
    makeShm: ipcMode === 'shareable',
  };
}

function ofPeer(peer: LiveContainer | undefined, kind: string): NamespaceChoice {
  return joined(peer, kind) ?? 'private';
}

function joined(peer: LiveContainer | undefined, kind: string): { readonly path: string } | undefined {
  return peer?.run === undefined ? undefined : { path: `/proc/${peer.run.pid}/ns/${kind}` };
}
