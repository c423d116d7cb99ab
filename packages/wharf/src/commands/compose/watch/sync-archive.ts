import type { BigIntStats } from 'node:fs';
import { createReadStream } from 'node:fs';
import { lstat, open, readlink } from 'node:fs/promises';
import type { PathMapping } from '@wharf/compose/watch/rules';
import { hasErrno } from '@wharf/kit/errors';
import { encodeTarHeader, TAR_END, tarPadding } from '@wharf/oci/tar/write';

/** A file that changes while it is read is sent as far as its size said; it is told of again then. */
const SMALL_BYTES = 4 * 1024 * 1024;

export interface Sorted {
  readonly present: readonly PathMapping[];
  /** Paths in the container. */
  readonly gone: readonly string[];
}

/** Which of the paths are there to be copied, and which went. */
export async function sortPaths(mappings: readonly PathMapping[]): Promise<Sorted> {
  const present: PathMapping[] = [];
  const gone: string[] = [];
  for (const mapping of mappings) {
    if ((await statusOf(mapping.hostPath)) === undefined) gone.push(mapping.containerPath);
    else present.push(mapping);
  }
  return { present, gone };
}

/** The files as a tar archive to be unpacked at `/`. One that vanishes meanwhile is left out. */
export async function* syncArchive(mappings: readonly PathMapping[]): AsyncGenerator<Buffer, void, undefined> {
  for (const { hostPath, containerPath } of mappings) {
    const status = await statusOf(hostPath);
    if (status === undefined) continue;
    yield* entryOf(hostPath, containerPath.replace(/^\/+/, ''), status);
  }
  yield TAR_END;
}

async function* entryOf(path: string, text: string, status: BigIntStats): AsyncGenerator<Buffer, void, undefined> {
  // Tar names are bytes, one character each.
  const name = Buffer.from(text).toString('latin1');
  const common = {
    name,
    mode: Number(status.mode) & 0o7777,
    uid: Number(status.uid),
    gid: Number(status.gid),
    mtimeNs: status.mtimeNs,
  };
  if (status.isDirectory()) yield encodeTarHeader({ ...common, type: 'directory' });
  else if (status.isSymbolicLink()) {
    const linkName = Buffer.from(await readlink(path)).toString('latin1');
    yield encodeTarHeader({ ...common, type: 'symlink', linkName });
  } else if (status.isFile()) yield* fileOf(path, common, Number(status.size));
}

async function* fileOf(
  path: string,
  common: {
    readonly name: string;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
    readonly mtimeNs: bigint;
  },
  size: number,
): AsyncGenerator<Buffer, void, undefined> {
  if (size <= SMALL_BYTES) {
    // Read as a whole, so that header and content agree whatever is written meanwhile.
    const content = await readWhole(path);
    if (content === undefined) return;
    yield encodeTarHeader({ ...common, type: 'file', sizeBytes: content.length });
    yield content;
    yield tarPadding(content.length);
    return;
  }
  yield encodeTarHeader({ ...common, type: 'file', sizeBytes: size });
  let left = size;
  for await (const chunk of createReadStream(path, { end: size - 1 }) as AsyncIterable<Buffer>) {
    left -= chunk.length;
    yield chunk;
  }
  if (left > 0) yield Buffer.alloc(left);
  yield tarPadding(size);
}

async function readWhole(path: string): Promise<Buffer | undefined> {
  try {
    const file = await open(path);
    try {
      return await file.readFile();
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function statusOf(path: string): Promise<BigIntStats | undefined> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return undefined;
    throw error;
  }
}
