import { type BigIntStats, closeSync, constants, lstatSync, openSync, read, readdirSync, readlinkSync } from 'node:fs';
import { WharfError } from '@wharf/kit/errors';
import { type ByteString, fsPath, toBytes } from '@wharf/oci/tar/bytes';
import type { TarEntryInit } from '@wharf/oci/tar/entry';
import { encodeTarHeader, TAR_END, tarPadding } from '@wharf/oci/tar/write';
import { goFileError } from '../values/file-errors.ts';
import { splitEntry } from './paths.ts';
import { type CopyPlan, renameBytes, renamed } from './plan.ts';

const CHUNK_BYTES = 256 * 1024;
const NS_PER_SECOND = 1_000_000_000n;

/**
 * A file, link or directory tree as an archive, as docker's client packs it: names begin with that of the source (`./` for what is in a
 * directory), links are kept as links, files with several names in the tree as hard links. Sockets are left out. Throws what cannot be read.
 */
export async function* packTree(path: string, rename: CopyPlan['rename']): AsyncGenerator<Buffer, void, undefined> {
  const { directory, base } = splitEntry(path);
  const links = new Map<string, ByteString>();
  const change = renameBytes(rename);
  for (const { name, place, stats } of walk({ root: toBytes(directory), base: toBytes(base) })) {
    const entry = entryOf({ name: renamed(name, change), place, stats }, links);
    if (entry === undefined) continue;
    yield encodeTarHeader(entry);
    if (entry.type !== 'file' || entry.sizeBytes === 0) continue;
    yield* content(place, entry.sizeBytes ?? 0);
    yield tarPadding(entry.sizeBytes ?? 0);
  }
  yield TAR_END;
}

interface Found {
  readonly name: ByteString;
  readonly place: ByteString;
  readonly stats: BigIntStats;
}

/** A directory before what is in it, names in the order of their bytes. */
function* walk({ root, base }: { readonly root: ByteString; readonly base: ByteString }): Generator<Found> {
  const pending = [base];
  for (let name = pending.pop(); name !== undefined; name = pending.pop()) {
    const place = name.startsWith('/') ? name : `${root === '/' ? '' : root}/${name}`;
    const stats = at(place, () => lstatSync(fsPath(place), { bigint: true }));
    yield { name, place, stats };
    if (!stats.isDirectory()) continue;
    const names = at(place, () => readdirSync(fsPath(place), { encoding: 'buffer' })).map((each) =>
      each.toString('latin1'),
    );
    const parent = name === '/' ? '' : name;
    for (const child of names.toSorted((left, right) => (left < right ? 1 : -1))) pending.push(`${parent}/${child}`);
  }
}

function at<Result>(place: ByteString, act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    const path = Buffer.from(place, 'latin1').toString('utf8');
    throw new WharfError('failed-precondition', goFileError(error, path), { cause: error });
  }
}

function entryOf({ name, place, stats }: Found, links: Map<string, ByteString>): TarEntryInit | undefined {
  const common = {
    name,
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtimeNs: (stats.mtimeNs / NS_PER_SECOND) * NS_PER_SECOND,
  };
  if (stats.isDirectory()) return { ...common, type: 'directory' };
  if (stats.isSocket()) return undefined;
  if (stats.nlink > 1n) {
    const key = `${stats.dev}:${stats.ino}`;
    const first = links.get(key);
    if (first !== undefined) return { ...common, type: 'link', linkName: first };
    links.set(key, name);
  }
  if (stats.isSymbolicLink()) {
    const target = at(place, () => readlinkSync(fsPath(place), { encoding: 'buffer' }));
    return { ...common, type: 'symlink', linkName: target.toString('latin1') };
  }
  if (stats.isFIFO()) return { ...common, type: 'fifo' };
  if (stats.isFile()) return { ...common, type: 'file', sizeBytes: Number(stats.size) };
  const device = {
    deviceMajor: Number((stats.rdev >> 8n) & 0xfffn),
    deviceMinor: Number((stats.rdev & 0xffn) | ((stats.rdev >> 12n) & 0xfff00n)),
  };
  return { ...common, ...device, type: stats.isCharacterDevice() ? 'char' : 'block' };
}

/** Exactly as many bytes as the header says: a file that grows meanwhile is cut, one that shrinks is an error. */
async function* content(place: ByteString, sizeBytes: number): AsyncGenerator<Buffer, void, undefined> {
  // Whatever took the file's place since it was looked at is neither followed nor waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const fd = at(place, () => openSync(fsPath(place), flags));
  try {
    for (let left = sizeBytes; left > 0; ) {
      const chunk = await readSome(fd, Math.min(left, CHUNK_BYTES));
      if (chunk.length === 0) {
        const path = Buffer.from(place, 'latin1').toString('utf8');
        throw new WharfError('aborted', `Cannot copy "${path}": it became shorter while it was read`);
      }
      left -= chunk.length;
      yield chunk;
    }
  } finally {
    closeSync(fd);
  }
}

function readSome(fd: number, length: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    read(fd, Buffer.allocUnsafe(length), 0, length, null, (error, count, buffer) => {
      if (error === null) resolve(buffer.subarray(0, count));
      else reject(error);
    });
  });
}
