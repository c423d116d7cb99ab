import { posix } from 'node:path';
import { WharfError } from '@wharf/kit/errors';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { DaemonError } from '@wharf/wire/docker-client/errors';
import type { Output } from '../../cli/output.ts';
import { containerPath } from '../path.ts';
import { descriptorSink } from '../streams/sink.ts';
import { checkOutputPath, localDestination, localSource } from './local-place.ts';
import { packTree } from './pack.ts';
import { followedPath, localPath, splitEntry } from './paths.ts';
import { type Place, planCopy } from './plan.ts';
import { CopyProgress } from './progress.ts';
import { type ContainerStat, parseStat, statInContainer } from './stat.ts';
import { unpackTree } from './unpack.ts';

export interface CopyWish {
  readonly client: DockerClient;
  readonly container: string;
  /** `-` on the side that is here stands for an archive. */
  readonly source: string;
  readonly destination: string;
  readonly followLink: boolean;
  /** Owners in the container are those of the files here. */
  readonly keepOwners: boolean;
  readonly quiet: boolean;
  readonly err: Output;
  readonly signal: AbortSignal;
}

/** Copies out of a container. */
export async function copyFromContainer(wish: CopyWish): Promise<void> {
  const { client, container, followLink, quiet, err, signal } = wish;
  const destination = wish.destination === '-' ? '-' : localPath(wish.destination);
  if (destination !== '-') checkOutputPath(destination);
  const { path, rebase } = followLink ? await followInContainer(wish) : { path: wish.source, rebase: '' };
  const query = { path };
  const answer = await client.stream('GET', containerPath(container, '/archive'), { query, signal });
  try {
    if (destination === '-') {
      const write = descriptorSink(1);
      for await (const chunk of answer.body) await write(chunk);
      return;
    }
    const { isDirectory } = parseStat(answer.headers['x-docker-container-path-stat']);
    const plan = planCopy({ path, exists: true, isDirectory }, localDestination(destination));
    // What a link led to goes by the link's name.
    const rename = plan.rename ?? (rebase === '' ? undefined : { from: splitEntry(path).base, to: rebase });
    const progress = new CopyProgress(err, { title: 'Copying from container', quiet });
    {
      using _shown = progress;
      await unpackTree(progress.count(answer.body), { directory: plan.directory, rename });
    }
    if (!quiet) err.line(`Successfully copied ${progress.size} to ${destination}`);
  } finally {
    // The rest of what is not wanted does not keep the program.
    answer.discard();
  }
}

async function followInContainer({ client, container, source }: CopyWish) {
  const stat = await statInContainer(client, container, source).catch(() => undefined);
  if (stat?.isLink !== true) return { path: source, rebase: '' };
  return followedPath(source, targetOf(source, stat));
}

/** Copies into a container. */
export async function copyToContainer(wish: CopyWish): Promise<void> {
  const { container, followLink, quiet, err } = wish;
  const destination = await placeInContainer(wish);
  if (wish.source === '-') {
    if (!destination.isDirectory) {
      throw new WharfError('invalid-argument', `destination "${container}:${wish.destination}" must be a directory`);
    }
    await upload(wish, destination.path, process.stdin);
    if (!quiet) err.line(`Successfully copied 0B to ${container}:${destination.path}`);
    return;
  }
  const source = localSource(localPath(wish.source), followLink);
  const { directory, rename } = planCopy(source, destination);
  const { base } = splitEntry(source.path);
  // A link that was followed goes by its own name.
  const named =
    rename === undefined
      ? source.rebase
        ? { from: base, to: source.rebase }
        : undefined
      : { from: base, to: rename.to };
  const progress = new CopyProgress(err, { title: 'Copying to container', quiet });
  {
    using _shown = progress;
    await upload(wish, directory, progress.count(packTree(source.path, named)));
  }
  if (!quiet) err.line(`Successfully copied ${progress.size} to ${container}:${destination.path}`);
}

function upload(
  { client, container, keepOwners, signal }: CopyWish,
  path: string,
  body: AsyncIterable<Uint8Array>,
): Promise<string> {
  const query = { copyUIDGID: keepOwners ? 'true' : undefined, noOverwriteDirNonDir: 'true', path };
  return client.text('PUT', containerPath(container, '/archive'), { query, body, signal });
}

/** A path that is not there may be about to be made: whether it can be is the daemon's to say. */
async function placeInContainer({ client, container, destination }: CopyWish): Promise<Place> {
  let path = destination;
  let stat: ContainerStat | undefined;
  try {
    stat = await statInContainer(client, container, path);
    if (stat.isLink) {
      path = targetOf(path, stat);
      stat = await statInContainer(client, container, path);
    }
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    stat = undefined;
  }
  if (stat?.isDevice === true) {
    const what = 'must be a directory or a regular file: got a device';
    throw new WharfError('invalid-argument', `destination "${container}:${destination}" ${what}`);
  }
  return { path, exists: stat !== undefined, isDirectory: stat?.isDirectory === true };
}

function targetOf(path: string, { linkTarget }: ContainerStat): string {
  return posix.isAbsolute(linkTarget) ? linkTarget : posix.join(splitEntry(path).directory, linkTarget);
}
