import {
  chmodSync,
  closeSync,
  fchmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from 'node:fs';
import { WharfError } from '@wharf/kit';
import { lutimesNs, mknod, S } from '@wharf/linux/fsx';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import { GO, PACKET } from './diff-copy.ts';
import { Packet, type PacketMessage, type StatMessage } from './messages.ts';
import type { Session } from './sessions.ts';

/** What of a client's directory is wanted. */
export interface TreeRequest {
  /** `context`, `dockerfile`, or the name of a further one. */
  readonly name: string;
  readonly exclude: readonly string[];
  /** Only these paths and where their links lead; everything when empty. */
  readonly follow: readonly string[];
  /** An earlier state of the same directory: files that are the same in size, time and mode are linked from it. */
  readonly previous?: string | undefined;
}

const METHOD = '/moby.filesync.v1.FileSync/DiffCopy';
const MAX_ENTRIES = 5_000_000;

/**
 * Fetches a client's directory into an empty one (fsutil's DiffCopy): the client tells every path, we ask for the files, and it sends
 * them in pieces. Owners are root's. Throws `invalid-argument` for a path that would lead outside, and what the client reports.
 */
export async function receiveTree(
  session: Session,
  request: TreeRequest,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  const metadata = {
    'dir-name': [request.name],
    ...(request.exclude.length > 0 ? { 'exclude-patterns': request.exclude.map(encodeURIComponentOnce) } : {}),
    ...(request.follow.length > 0 ? { followpaths: request.follow.map(encodeURIComponentOnce) } : {}),
    ...(needsEncoding(request.exclude) ? { 'exclude-patterns-encoded': '1' } : {}),
    ...(needsEncoding(request.follow) ? { 'followpaths-encoded': '1' } : {}),
  };
  const call = session.client.open(METHOD, metadata, signal);
  const receiver = new Receiver(directory, request.previous, (packet) => call.send(encode(Packet, packet)));
  try {
    for await (const bytes of call.messages) {
      if (await receiver.take(decode<PacketMessage>(Packet, bytes))) call.end();
    }
    receiver.finish();
  } finally {
    receiver.dispose();
  }
}

/** Metadata is ASCII; other values go percent-encoded, all of one name or none. */
function needsEncoding(values: readonly string[]): boolean {
  return values.some((value) => /[^\x20-\x7e]/.test(value));
}

function encodeURIComponentOnce(value: string, _index: number, all: readonly string[]): string {
  return needsEncoding(all) ? encodeURIComponent(value) : value;
}

class Receiver {
  readonly #root: string;
  readonly #previous: string | undefined;
  /** Directories of the earlier state that are directories all the way: no symlink of the client's is followed there either. */
  readonly #previousDirectories = new Set<string>(['']);
  readonly #send: (packet: Partial<PacketMessage>) => Promise<void>;
  readonly #directories = new Set<string>(['']);
  readonly #files = new Map<number, { readonly fd: number; readonly path: string; readonly stat: StatMessage }>();
  readonly #times: { readonly path: string; readonly stat: StatMessage }[] = [];
  #count = 0;
  #told = false;
  #finished = false;

  constructor(root: string, previous: string | undefined, send: (packet: Partial<PacketMessage>) => Promise<void>) {
    this.#root = root;
    this.#previous = previous;
    this.#send = send;
  }

  /** Takes a packet; true when there will be no more to ask for. */
  async take(packet: PacketMessage): Promise<boolean> {
    switch (packet.type) {
      case PACKET.STAT:
        if (packet.stat === undefined) this.#told = true;
        else await this.#entry(packet.stat);
        break;
      case PACKET.DATA:
        this.#data(packet);
        break;
      case PACKET.FIN:
        return true;
      case PACKET.ERROR:
        throw new WharfError('unavailable', `error from sender: ${Buffer.from(packet.data).toString('utf8')}`);
      default:
        throw new WharfError(
          'invalid-argument',
          `Cannot read the client's files: packet type ${packet.type} is not known`,
        );
    }
    if (this.#told && this.#files.size === 0 && !this.#finished) {
      this.#finished = true;
      await this.#send({ type: PACKET.FIN });
    }
    return false;
  }

  finish(): void {
    if (!this.#finished) throw new WharfError('unavailable', "Cannot read the client's files: it left in the middle");
    for (const { path, stat } of this.#times.reverse()) setTime(path, stat);
  }

  dispose(): void {
    for (const { fd } of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }

  async #entry(stat: StatMessage): Promise<void> {
    const id = this.#count;
    this.#count += 1;
    if (this.#count > MAX_ENTRIES)
      throw new WharfError('resource-exhausted', 'Cannot read the build context: too many files');
    const path = `${this.#root}/${this.#checked(stat.path)}`;
    const { mode } = stat;
    const permissions = permissionsOf(mode);
    if (has(mode, GO.DIR)) {
      mkdirSync(path, { mode: 0o700 });
      this.#directories.add(stat.path);
      this.#notePrevious(stat.path);
      this.#times.push({ path, stat });
      chmodSync(path, permissions);
      return;
    }
    if (has(mode, GO.SYMLINK)) {
      symlinkSync(stat.linkname, path);
      setTime(path, stat);
      return;
    }
    if (stat.linkname !== '') {
      linkSync(`${this.#root}/${this.#checked(stat.linkname)}`, path);
      return;
    }
    if (has(mode, GO.SOCKET)) return;
    if (has(mode, GO.DEVICE)) return;
    if (has(mode, GO.PIPE)) {
      mknod(path, S.IFIFO | permissions);
      return;
    }
    if (this.#linkPrevious(stat, path, permissions)) return;
    const fd = openSync(path, 'wx', 0o600);
    fchmodSync(fd, permissions);
    if (stat.size === 0) {
      closeSync(fd);
      setTime(path, stat);
      return;
    }
    this.#files.set(id, { fd, path, stat });
    await this.#send({ type: PACKET.REQUEST, ID: id });
  }

  #notePrevious(name: string): void {
    if (this.#previous === undefined || !this.#previousDirectories.has(parentOf(name))) return;
    if (lstatSync(`${this.#previous}/${name}`, { throwIfNoEntry: false })?.isDirectory()) {
      this.#previousDirectories.add(name);
    }
  }

  #linkPrevious(stat: StatMessage, path: string, permissions: number): boolean {
    if (this.#previous === undefined || !this.#previousDirectories.has(parentOf(stat.path))) return false;
    const before = `${this.#previous}/${stat.path}`;
    const status = lstatSync(before, { bigint: true, throwIfNoEntry: false });
    const isSame =
      status?.isFile() === true &&
      status.size === BigInt(stat.size) &&
      status.mtimeNs === stat.modTime &&
      status.mode % 0o10000n === BigInt(permissions);
    if (isSame) linkSync(before, path);
    return isSame;
  }

  #data({ ID, data }: PacketMessage): void {
    const file = this.#files.get(ID);
    if (file === undefined)
      throw new WharfError('invalid-argument', `Cannot read the client's files: ${ID} was not asked for`);
    if (data.length > 0) {
      for (let at = 0; at < data.length; ) at += writeSync(file.fd, data, at);
      return;
    }
    closeSync(file.fd);
    this.#files.delete(ID);
    setTime(file.path, file.stat);
  }

  /** A path must lie in a directory that came before it: no symlink of the client's is ever followed. */
  #checked(path: string): string {
    const parts = path.split('/');
    const parent = parts.slice(0, -1).join('/');
    const isClean = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
    if (!isClean || !this.#directories.has(parent)) {
      throw new WharfError(
        'invalid-argument',
        `Cannot read the client's files: "${path}" is no path below its directory`,
      );
    }
    return path;
  }
}

function parentOf(name: string): string {
  return name.slice(0, Math.max(0, name.lastIndexOf('/')));
}

function has(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}

function permissionsOf(mode: number): number {
  const special =
    (has(mode, GO.SETUID) ? 0o4000 : 0) | (has(mode, GO.SETGID) ? 0o2000 : 0) | (has(mode, GO.STICKY) ? 0o1000 : 0);
  return (mode % 0o1000) | special;
}

function setTime(path: string, { modTime }: StatMessage): void {
  lutimesNs(path, { atimeNs: modTime, mtimeNs: modTime });
}
