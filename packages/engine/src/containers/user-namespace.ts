import { WharfError } from '@wharf/kit';
import type { IdMapping } from '@wharf/linux/user-namespace';
import type { HostConfig } from '@wharf/wire/docker/types';
import { parseSecurityOptions } from '../runtime/oci-spec/security-options.ts';
import type { ContainerRecord } from './container.ts';
import { peerName } from './namespaces.ts';
import type { Room } from './room.ts';

/** Where ranges of one container each begin: above what useradd(8), subuid(5) and systemd give out, below 2^31. */
const FIRST_OWN_ID = 1_879_113_728;
const OWN_IDS = 65_536;
const OWN_RANGES = 4000;

const refuse = (message: string) => new WharfError('invalid-argument', message);

/**
 * The ids of a new container's user namespace; undefined for the daemon's own. `--userns=host` wins over the daemon's
 * `--userns-remap`; `userns=private` (a security option, or the mode where a client lets it pass) asks for one where the daemon has
 * none, `auto` for ids that no other container has. Throws `invalid-argument`, in Docker's words where it has them.
 */
export function chooseUserNamespace(
  room: Pick<Room, 'config' | 'registry'>,
  id: string,
  host: HostConfig,
): IdMapping | undefined {
  const { userNamespace: option } = parseSecurityOptions(host.SecurityOpt);
  const mode = host.UsernsMode || option || '';
  if (mode === 'host') return undefined;
  const ofDaemon = room.config.walls.userNamespace;
  if (mode === '' && ofDaemon === undefined) return undefined;
  checkShared(host);
  const peer = peerOfNamespaces(room, host);
  if (peer !== undefined) return ofPeer(peer, host);
  return mode !== 'auto' && ofDaemon !== undefined ? ofDaemon : ownRange(room, id);
}

function checkShared(host: HostConfig): void {
  if (host.Privileged === true) {
    throw refuse(
      'privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode',
    );
  }
  if (host.NetworkMode === 'host') {
    throw refuse("cannot share the host's network namespace when user namespaces are enabled");
  }
  if (host.PidMode === 'host') throw refuse('cannot share the host PID namespace when user namespaces are enabled');
  if (host.IpcMode === 'host') throw refuse('cannot share the host IPC namespace when user namespaces are enabled');
}

/** Namespaces shared with another container are owned by its user namespace, so that has to be shared too. */
function peerOfNamespaces(room: Pick<Room, 'registry'>, host: HostConfig): ContainerRecord | undefined {
  const names = [host.NetworkMode, host.PidMode, host.IpcMode].flatMap((mode) => peerName(mode) ?? []);
  const peers = new Set(names.map((name) => room.registry.find(name)?.record));
  if (peers.size > 1) {
    throw refuse('cannot share namespaces of several containers when user namespaces are enabled');
  }
  return [...peers][0];
}

function ofPeer(peer: ContainerRecord, host: HostConfig): IdMapping {
  const { userNamespace } = peer;
  if (userNamespace === undefined || peerName(host.NetworkMode) === undefined) {
    throw refuse(
      `cannot share namespaces of container ${peer.id} when user namespaces are enabled: ${userNamespace === undefined ? 'it has no user namespace of its own' : 'its network has to be shared with the rest'}`,
    );
  }
  return userNamespace;
}

/** A range that no container there is has, sought from a place of the container's own: two made at once find different ones. */
function ownRange({ registry }: Pick<Room, 'registry'>, id: string): IdMapping {
  const taken = new Set(
    registry.all().flatMap(({ record }) => record.userNamespace?.uids.map(({ outside }) => outside) ?? []),
  );
  const start = Number.parseInt(id.slice(0, 8), 16);
  for (let number = 0; number < OWN_RANGES; number += 1) {
    const outside = FIRST_OWN_ID + ((start + number) % OWN_RANGES) * OWN_IDS;
    if (taken.has(outside)) continue;
    const ids = [{ inside: 0, outside, count: OWN_IDS }];
    return { uids: ids, gids: ids };
  }
  throw new WharfError(
    'resource-exhausted',
    `Cannot give out ids for a user namespace: ${OWN_RANGES} ranges are taken`,
  );
}
