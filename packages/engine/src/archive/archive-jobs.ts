import { lstatSync, realpathSync } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit';
import { becomeFileOwner } from '@wharf/linux/file-identity';
import { type FileStatus, lstatNs, S } from '@wharf/linux/fsx';
import { type IdMapping, insideId, outsideId } from '@wharf/linux/user-namespace';
import { extract } from '@wharf/oci/layers/apply-job';
import { decompress, peekCompression } from '@wharf/oci/layers/compression';
import { Packer } from '@wharf/oci/layers/packer';
import { walk } from '@wharf/oci/layers/walk';
import { type ByteString, fsPath, toBytes } from '@wharf/oci/tar/bytes';
import type { JobIo } from '@wharf/oci/workers/protocol';
import { inRoot } from '@wharf/oci/workers/root';
import { CONTAINER_ROOT_READ_ONLY, NOT_A_DIRECTORY, VOLUME_READ_ONLY } from '@wharf/wire/docker/messages';
import type { ContainerPathStat } from '@wharf/wire/docker/types';
import { type ContainerView, inContainer } from './container-view.ts';
import { lookUpOwner } from './owner.ts';
import { baseName, containerPath, toPathStat } from './path-stat.ts';

export interface PathParams {
  readonly view: ContainerView;
  /** As the client gave it. */
  readonly path: string;
}

export interface PutParams extends PathParams {
  readonly keepKinds: boolean;
  /** The container's `Config.User` when everything shall belong to it. */
  readonly owner: string | undefined;
  readonly readOnlyRoot: boolean;
  readonly mounts: readonly { readonly destination: string; readonly readOnly: boolean }[];
}

/** The code of the error for a path that is not there. */
export const NO_SUCH_PATH = 'no-such-path';

/** Describes what is at a path; a last symlink is not followed. */
export function statJob({ view, path }: PathParams): Promise<ContainerPathStat> {
  return inContainer(view, async () => statPath(toBytes(containerPath(path))).stat);
}

/** Archives what is at a path: first a note with its `ContainerPathStat`, then the archive. */
export function getJob({ view, path }: PathParams, io: JobIo): Promise<void> {
  return inContainer(view, async () => {
    const at = toBytes(containerPath(path));
    const { stat, isDirectory } = statPath(at);
    io.note(stat);
    const root = isDirectory ? at : at.replace(/\/+$/, '');
    await pack(root, renamer(baseName(at)), io, idsOf(view));
  });
}

/** Archives a whole root filesystem, its top directory left out. */
export function exportJob({ rootfs }: { readonly rootfs: string }, io: JobIo): Promise<void> {
  return inRoot(rootfs, () => pack('/', (name) => (name === '' ? undefined : name), io));
}

/** Unpacks the job's input, compressed or not, into a directory of the container. */
export async function putJob(params: PutParams, io: JobIo): Promise<void> {
  // Looked at outside: a decompressor is the host's program, not one the container brought.
  const { stream, compression } = await peekCompression(io.input);
  const plain = decompress(stream, compression);
  await inContainer(params.view, async () => {
    const base = resolveDirectory(toBytes(containerPath(params.path)));
    checkWritable(base, params);
    const owner = params.owner === undefined ? undefined : lookUpOwner(params.owner);
    const { keepKinds } = params;
    const ids = idsOf(params.view);
    // What is made here must have an owner that the mapping knows from the start.
    using _ = ids && becomeFileOwner({ uid: outsideId(ids.uids, 0), gid: outsideId(ids.gids, 0) });
    await extract(
      plain,
      { base: base === '/' ? '' : base, whiteouts: 'none', parents: 'make', keepRoot: true, keepKinds, owner, ids },
      io.signal,
    );
  });
}

/** The mapping that the files of a container with a user namespace of its own are seen through. */
function idsOf(view: ContainerView): IdMapping | undefined {
  return view.kind === 'running' ? view.ids : undefined;
}

async function pack(
  root: ByteString,
  rename: (name: ByteString) => ByteString | undefined,
  io: JobIo,
  ids?: IdMapping,
): Promise<void> {
  const packer = new Packer({ wholeSeconds: true });
  for (const { path, name, status } of walk(root)) {
    const archived = rename(name);
    if (archived === undefined) continue;
    for (const chunk of packer.addFile(path, archived, asInside(status, ids))) await io.write(chunk);
    io.signal.throwIfAborted();
  }
  for (const chunk of packer.end()) await io.write(chunk);
}

function asInside(status: FileStatus, ids: IdMapping | undefined): FileStatus {
  if (ids === undefined) return status;
  return { ...status, uid: insideId(ids.uids, status.uid), gid: insideId(ids.gids, status.gid) };
}

/** Names in the archive begin with the last part of the path asked for: `/a/b` gives `b/…`, `/a/b/.` gives `./…`. */
function renamer(base: ByteString): (name: ByteString) => ByteString {
  if (base === '/') return (name) => `/${name}`;
  return (name) => (name === '' ? base : `${base}/${name}`);
}

function statPath(at: ByteString): { readonly stat: ContainerPathStat; readonly isDirectory: boolean } {
  try {
    const status = lstatNs(fsPath(at));
    return { stat: toPathStat(at, status), isDirectory: (status.mode & S.IFMT) === S.IFDIR };
  } catch (error) {
    throw explain(at, error);
  }
}

/** The directory a path leads to, every symlink resolved. */
function resolveDirectory(at: ByteString): ByteString {
  try {
    const resolved = realpathSync.native(fsPath(at), { encoding: 'latin1' });
    if (!lstatSync(fsPath(resolved)).isDirectory()) throw new WharfError('invalid-argument', NOT_A_DIRECTORY);
    return resolved;
  } catch (error) {
    throw explain(at, error);
  }
}

function explain(at: ByteString, error: unknown): unknown {
  if (hasErrno(error, 'ENOENT')) {
    return new WharfError('not-found', `Cannot find ${JSON.stringify(at)}`, { cause: error, code: NO_SUCH_PATH });
  }
  if (hasErrno(error, 'ENOTDIR')) {
    return new WharfError('internal', `lstat ${at}: not a directory`, { cause: error });
  }
  if (hasErrno(error, 'EINVAL', 'ENAMETOOLONG', 'ELOOP')) {
    return new WharfError('invalid-argument', `Cannot use path ${JSON.stringify(at)}: it is not valid`, {
      cause: error,
    });
  }
  return error;
}

/** The innermost mount that holds the path decides, else the root. */
function checkWritable(path: ByteString, { mounts, readOnlyRoot }: PutParams): void {
  const holds = ({ destination }: { readonly destination: string }): boolean =>
    path === destination || path.startsWith(`${destination.replace(/\/$/, '')}/`);
  const inner = mounts.filter(holds).sort((a, b) => b.destination.length - a.destination.length)[0];
  if (inner?.readOnly) throw new WharfError('invalid-argument', VOLUME_READ_ONLY);
  if (!inner && readOnlyRoot) throw new WharfError('invalid-argument', CONTAINER_ROOT_READ_ONLY);
}
