import * as fs from 'node:fs';
import { posix } from 'node:path';
import { hasErrno, WharfError } from '@wharf/kit/errors';
import { type ByteString, fsPath, toText } from '@wharf/oci/tar/bytes';
import type { TarEntry } from '@wharf/oci/tar/entry';
import { readTar } from '@wharf/oci/tar/read';
import { posixClean } from '../values/devices.ts';
import { goFileError } from '../values/file-errors.ts';
import { HostTree } from './host-tree.ts';
import { type CopyPlan, renameBytes, renamed } from './plan.ts';

const NS_PER_SECOND = 1_000_000_000;
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = fs.constants;

/**
 * Unpacks what a container sent. Owners are whoever runs this, as with docker; modes and times are the archive's. A file takes the place of
 * a file, never of a directory, nor a directory that of a file. Throws in docker's words.
 */
export async function unpackTree(body: AsyncIterable<Uint8Array>, { directory, rename }: CopyPlan): Promise<void> {
  using tree = openTree(posixClean(directory));
  const times: (() => void)[] = [];
  try {
    for await (const { entry, content } of readTar(body))
      await unpackEntry({ tree, times, entry, content }, renameBytes(rename));
  } finally {
    for (const set of times) set();
  }
}

interface Unpacked {
  readonly tree: HostTree;
  /** Sets the times of directories, innermost first: what comes into one changes its time. */
  readonly times: (() => void)[];
  readonly entry: TarEntry;
  readonly content: AsyncIterable<Buffer>;
}

async function unpackEntry({ tree, times, entry, content }: Unpacked, rename: CopyPlan['rename']): Promise<void> {
  const names = namesOf(renamed(entry.name, rename), tree);
  if (names.length === 0) return;
  const place = tree.place(names);
  const shown = `${tree.path.replace(/\/$/, '')}/${toText(names.join('/'))}`;
  const old = fs.lstatSync(place, { throwIfNoEntry: false });
  if (old !== undefined && !(old.isDirectory() && entry.type === 'directory')) {
    checkReplace(old.isDirectory(), entry, { shown, directory: tree.path });
    fs.rmSync(place);
  }
  try {
    if (entry.type === 'directory') {
      if (old === undefined) fs.mkdirSync(place, { mode: 0o700 });
      withDirectory(place, (fd) => fs.fchmodSync(fd, entry.mode));
      times.unshift(() => withDirectory(tree.place(names), (fd) => fs.futimesSync(fd, seconds(entry), seconds(entry))));
    } else if (entry.type === 'file') await writeFile(place, entry, content);
    else if (entry.type === 'link') makeLink(tree, names, renamed(entry.linkName, rename));
    else {
      if (entry.type === 'symlink') checkTarget(entry, shown, tree.path);
      await makeSpecial(place, entry);
    }
    if (entry.xattrs.size > 0) await setAttributes(place, entry);
  } catch (error) {
    if (error instanceof WharfError) throw error;
    throw new WharfError('failed-precondition', goFileError(error, shown), { cause: error });
  }
}

function openTree(directory: string): HostTree {
  try {
    return new HostTree(directory);
  } catch (error) {
    throw new WharfError('failed-precondition', goFileError(error, directory), { cause: error });
  }
}

/** An entry's names from the root down; empty for the root itself, which stays as it is. */
function namesOf(name: ByteString, { path }: HostTree): readonly ByteString[] {
  const names: ByteString[] = [];
  for (const part of name.split('/')) {
    if (part === '' || part === '.') continue;
    if (part !== '..') names.push(part);
    else if (names.pop() === undefined) {
      throw new WharfError('data-loss', `${JSON.stringify(toText(name))} is outside of ${JSON.stringify(path)}`);
    }
  }
  return names;
}

function checkReplace(
  isDirectory: boolean,
  { type }: TarEntry,
  { shown, directory }: { readonly shown: string; readonly directory: string },
): void {
  const cannot = (there: string, coming: string): WharfError =>
    new WharfError(
      'failed-precondition',
      `cannot overwrite ${there} ${JSON.stringify(shown)} with ${coming} ${JSON.stringify(directory)}`,
    );
  if (isDirectory) throw cannot('directory', 'non-directory');
  if (type === 'directory') throw cannot('non-directory', 'directory');
}

type Place = ReturnType<typeof fsPath>;

/** A directory itself, not what a link in its place leads to. */
function withDirectory(place: Place, act: (fd: number) => void): void {
  const fd = fs.openSync(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    act(fd);
  } finally {
    fs.closeSync(fd);
  }
}

async function writeFile(place: Place, entry: TarEntry, content: AsyncIterable<Buffer>): Promise<void> {
  const fd = fs.openSync(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  try {
    for await (const chunk of content) for (let at = 0; at < chunk.length; ) at += fs.writeSync(fd, chunk, at);
    fs.fchmodSync(fd, entry.mode);
    fs.futimesSync(fd, seconds(entry), seconds(entry));
  } finally {
    fs.closeSync(fd);
  }
}

/** A second name for what was unpacked before; its own place is held by a descriptor of its own. */
function makeLink(tree: HostTree, names: readonly ByteString[], target: ByteString): void {
  using other = new HostTree(tree.path);
  const from = other.place(namesOf(target, tree));
  // link(2) does not follow what a link in `from` leads to.
  fs.linkSync(from, tree.place(names));
}

/** A relative link that leads out of the directory is refused, as docker does: nobody asked for a way out. */
function checkTarget({ linkName }: TarEntry, shown: string, directory: string): void {
  const target = toText(linkName);
  if (posix.join(posix.dirname(shown), target).startsWith(directory)) return;
  throw new WharfError('data-loss', `invalid symlink ${JSON.stringify(shown)} -> ${JSON.stringify(target)}`);
}

async function makeSpecial(place: Place, entry: TarEntry): Promise<void> {
  const { type, mode, linkName, deviceMajor, deviceMinor } = entry;
  if (type === 'symlink') {
    // Kept as it is: nothing here follows it.
    fs.symlinkSync(fsPath(linkName), place);
    fs.lutimesSync(place, seconds(entry), seconds(entry));
    return;
  }
  if (type === 'other') return;
  const { mkfifo, mknod, S } = await import('@wharf/linux/fsx');
  const mask = process.umask(0);
  try {
    if (type === 'fifo') mkfifo(place, mode);
    else mknod(place, (type === 'char' ? S.IFCHR : S.IFBLK) | mode, deviceMajor, deviceMinor);
  } finally {
    process.umask(mask);
  }
}

/** What this user or file system may not have is left out, as docker does. */
async function setAttributes(place: Place, { xattrs }: TarEntry): Promise<void> {
  const { lsetxattr } = await import('@wharf/linux/fsx');
  for (const [name, value] of xattrs) {
    try {
      lsetxattr(place, name, value);
    } catch (error) {
      if (!hasErrno(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP')) throw error;
    }
  }
}

function seconds({ mtimeNs }: TarEntry): number {
  return Number(mtimeNs) / NS_PER_SECOND;
}
