import {
  type Digest,
  formatFamiliar,
  formatRfc3339Nano,
  isKind,
  messageOf,
  parseReference,
  WharfError,
  withDefaultTag,
} from '@wharf/kit';
import type { ContainerConfig } from '@wharf/wire/docker/types';
import { applyChanges } from '../images/changes.ts';
import type { ResolvedImage } from '../images/image-service.ts';
import { runtimeConfigOf } from '../images/runtime-config.ts';
import type { CommitOptions } from './container-service.ts';
import type { LiveContainer } from './live.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { publish, type Room } from './room.ts';

/** `docker commit`: the container's files and configuration become an image. Paused meanwhile unless asked not to. */
export async function commitContainer(room: Room, live: LiveContainer, options: CommitOptions): Promise<Digest> {
  const { status } = live.record.state;
  if (status === 'dead' || status === 'removing') {
    throw new WharfError(
      'conflict',
      `You cannot commit container ${live.id} which is ${status === 'dead' ? 'Dead' : 'being removed'}`,
    );
  }
  const { record } = live;
  const config = configOf(record.config, options);
  const paused = options.pause && status === 'running' && (await tryPause(room, live));
  try {
    const digest = await room.images.commit({
      snapshotKey: record.snapshotKey,
      parent: await parentOf(room, live),
      config: {
        created: formatRfc3339Nano(room.clock.nowNs()),
        architecture: record.platform.architecture,
        os: record.platform.os,
        config: runtimeConfigOf(config),
        rootfs: { type: 'layers', diff_ids: [] },
        history: [],
      },
      comment: options.comment,
      author: options.author,
      createdBy: [record.path, ...record.args].join(' '),
      reference: options.reference,
    });
    const imageRef =
      options.reference === undefined ? '' : formatFamiliar(withDefaultTag(parseReference(options.reference)));
    publish(room, record, 'commit', { comment: options.comment, imageID: digest, imageRef });
    return digest;
  } finally {
    if (paused && live.record.state.status === 'paused') await unpauseContainer(room, live);
  }
}

/** It may have ended by itself this very moment: nothing writes any more then, and nothing needs a pause. */
async function tryPause(room: Room, live: LiveContainer): Promise<boolean> {
  try {
    await pauseContainer(room, live);
    return true;
  } catch (error) {
    room.log.debug({ container: live.id, err: messageOf(error) }, 'committing without a pause');
    return false;
  }
}

/** The request's configuration over the container's, then the changes. */
function configOf(own: ContainerConfig, options: CommitOptions): ContainerConfig {
  const asked = options.config ?? {};
  const kept = Object.entries(asked).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const merged: ContainerConfig = {
    ...own,
    ...Object.fromEntries(kept),
    Env: mergeLists(own.Env, asked.Env),
    Labels: { ...own.Labels, ...asked.Labels },
  };
  return applyChanges(merged, options.changes);
}

function mergeLists(own: ContainerConfig['Env'], asked: ContainerConfig['Env']): readonly string[] {
  const names = new Set((asked ?? []).map((entry) => entry.split('=', 1)[0]));
  return [...(own ?? []).filter((entry) => !names.has(entry.split('=', 1)[0])), ...(asked ?? [])];
}

async function parentOf(room: Room, live: LiveContainer): Promise<ResolvedImage | undefined> {
  const { imageId, platform } = live.record;
  if (imageId === '') return undefined;
  try {
    return await room.images.resolve(imageId, platform);
  } catch (error) {
    if (!isKind(error, 'not-found')) throw error;
    throw new WharfError('failed-precondition', `Cannot commit container ${live.id}: its image is gone`, {
      cause: error,
    });
  }
}
