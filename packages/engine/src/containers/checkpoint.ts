import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';
import { containerNotRunning } from '@wharf/wire/docker/messages';
import { noCheckpoints } from './checkpoint-support.ts';
import type { CheckpointOptions } from './container-service.ts';
import type { LiveContainer } from './live.ts';
import { pathsOf, publish, type Room, runtimeOf } from './room.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/** Refuses in Docker's words what could not be checkpointed anyhow, and the rest because there are no checkpoints. */
export async function createCheckpoint(room: Room, live: LiveContainer, options: CheckpointOptions): Promise<void> {
  checkName(options.checkpoint);
  if (live.run === undefined) throw new WharfError('conflict', containerNotRunning(live.id));
  if (live.record.config.Tty === true) {
    throw new WharfError('invalid-argument', 'checkpoint not supported on containers with tty');
  }
  throw await noCheckpoints(`checkpoint container ${live.record.name}`, runtimeOf(room, live.record));
}

export async function listCheckpoints(
  room: Room,
  live: LiveContainer,
  directory: string | undefined,
): Promise<readonly string[]> {
  try {
    const entries = await readdir(directoryOf(room, live, directory), { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

export async function removeCheckpoint(
  room: Room,
  live: LiveContainer,
  options: { readonly checkpoint: string; readonly directory: string | undefined },
): Promise<void> {
  checkName(options.checkpoint);
  const known = await listCheckpoints(room, live, options.directory);
  if (!known.includes(options.checkpoint)) {
    throw new WharfError(
      'not-found',
      `checkpoint ${options.checkpoint} does not exist for container ${live.record.name}`,
    );
  }
  await rm(join(directoryOf(room, live, options.directory), options.checkpoint), { recursive: true, force: true });
  publish(room, live.record, 'checkpoint delete', { checkpoint: options.checkpoint });
}

function directoryOf(room: Room, live: LiveContainer, directory: string | undefined): string {
  return directory ?? join(pathsOf(room, live.id).data, 'checkpoints');
}

function checkName(name: string): void {
  if (!NAME.test(name)) {
    throw new WharfError(
      'invalid-argument',
      `Invalid checkpoint ID (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
    );
  }
}
