import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit';
import { containerNotRunning } from '@wharf/wire/docker/messages';
import type { CheckpointOptions } from './container-service.ts';
import type { LiveContainer } from './live.ts';
import { pathsOf, publish, type Room } from './room.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;

/**
 * Checkpoints need CRIU and a runtime built with it. Debian's crun is not, so this says so instead of failing half-way; a
 * restore is refused in the same words.
 */
export function checkpointUnsupported(): WharfError {
  return new WharfError('not-implemented', 'Cannot checkpoint: the OCI runtime of this host is built without CRIU', {
    hint: 'install a crun with +CRIU (crun --version) and criu',
  });
}

export function createCheckpoint(live: LiveContainer, options: CheckpointOptions): Promise<void> {
  checkName(options.checkpoint);
  if (live.run === undefined) throw new WharfError('conflict', containerNotRunning(live.id));
  if (live.record.config.Tty === true) {
    throw new WharfError('invalid-argument', 'checkpoint not supported on containers with tty');
  }
  throw checkpointUnsupported();
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
