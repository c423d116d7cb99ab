import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  fchmodSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { GO, PACKET } from '@wharf/builder/buildkit/diff-copy';
import { Packet, type PacketMessage, type StatMessage } from '@wharf/builder/buildkit/messages';
import { WharfError } from '@wharf/kit';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import type { GrpcCall } from '@wharf/wire/grpc/server';
import { writeAll } from './write-all.ts';

/**
 * The receiving side of fsutil's DiffCopy into a directory that may hold something: files take the place of those of the same name,
 * whole. With `replace` what was not sent goes. Everything belongs to whoever builds. Throws `invalid-argument` for a path that would
 * lead outside.
 */
export async function receiveDirectory(
  call: GrpcCall,
  directory: string,
  replace: boolean,
  listener: (bytes: number) => void,
): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const receiver = new Receiver(directory, (packet) => call.send(encode(Packet, packet)), listener);
  try {
    for await (const bytes of call.messages) {
      if (await receiver.take(decode<PacketMessage>(Packet, bytes))) break;
    }
    call.signal.throwIfAborted();
    receiver.finish(replace);
  } finally {
    receiver.dispose();
  }
}

class Receiver {
  readonly #root: string;
  readonly #send: (packet: object) => Promise<void>;
  readonly #listener: (bytes: number) => void;
  readonly #directories = new Map<string, StatMessage | undefined>([['', undefined]]);
  readonly #names = new Set<string>();
  /** Files that were asked for and have not come whole. */
  readonly #wanted = new Map<number, StatMessage>();
  /** Those whose content is coming: a tree may have more files than a process may have open. */
  readonly #open = new Map<number, { readonly fd: number; readonly temporary: string; readonly stat: StatMessage }>();
  /** Links to files whose content has not come yet. */
  readonly #links: StatMessage[] = [];
  #count = 0;
  #told = false;
  #finished = false;

  constructor(root: string, send: (packet: object) => Promise<void>, listener: (bytes: number) => void) {
    this.#root = root;
    this.#send = send;
    this.#listener = listener;
  }

  /** True when the sender has said its last. */
  async take(packet: PacketMessage): Promise<boolean> {
    if (packet.type === PACKET.STAT) {
      if (packet.stat === undefined) this.#told = true;
      else await this.#entry(packet.stat);
    } else if (packet.type === PACKET.DATA) this.#data(packet);
    else if (packet.type === PACKET.FIN) return true;
    else if (packet.type === PACKET.ERROR) {
      throw new WharfError('unavailable', `error from sender: ${Buffer.from(packet.data).toString('utf8')}`);
    }
    if (this.#told && this.#wanted.size === 0 && !this.#finished) {
      this.#finished = true;
      await this.#send({ type: PACKET.FIN });
    }
    return false;
  }

  finish(replace: boolean): void {
    if (!this.#finished) throw new WharfError('unavailable', 'Cannot take the result: the daemon left in the middle');
    for (const stat of this.#links) {
      this.#makeRoom(stat.path);
      linkSync(`${this.#root}/${this.#checked(stat.linkname)}`, `${this.#root}/${stat.path}`);
    }
    if (replace) this.#removeOthers('');
    for (const [name, stat] of [...this.#directories].reverse()) {
      if (stat === undefined) continue;
      chmodSync(`${this.#root}/${name}`, permissionsOf(stat.mode));
      setTime(`${this.#root}/${name}`, stat);
    }
  }

  dispose(): void {
    for (const { fd, temporary } of this.#open.values()) {
      closeSync(fd);
      rmSync(temporary, { force: true });
    }
    this.#open.clear();
  }

  async #entry(stat: StatMessage): Promise<void> {
    const id = this.#count;
    this.#count += 1;
    const path = `${this.#root}/${this.#checked(stat.path)}`;
    this.#names.add(stat.path);
    if (has(stat.mode, GO.DIR)) {
      if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) {
        this.#makeRoom(stat.path);
        mkdirSync(path, { mode: 0o700 });
      }
      this.#directories.set(stat.path, stat);
    } else if (has(stat.mode, GO.SYMLINK)) {
      this.#makeRoom(stat.path);
      symlinkSync(stat.linkname, path);
      setTime(path, stat);
    } else if (stat.linkname !== '') this.#links.push(stat);
    else if (isSpecial(stat.mode)) {
      throw new WharfError('not-implemented', `Cannot write "${path}": it is a device, a pipe or a socket`, {
        hint: 'Take an archive instead: -o type=tar,dest=FILE',
      });
    } else {
      this.#wanted.set(id, stat);
      if (stat.size === 0) this.#close(id);
      else await this.#send({ type: PACKET.REQUEST, ID: id });
    }
  }

  #data({ ID, data }: PacketMessage): void {
    if (data.length === 0) this.#close(ID);
    else {
      writeAll(this.#fileOf(ID).fd, data);
      this.#listener(data.length);
    }
  }

  #fileOf(id: number) {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const stat = this.#wanted.get(id);
    if (stat === undefined) throw new WharfError('invalid-argument', `Cannot take the result: ${id} was not asked for`);
    const path = `${this.#root}/${stat.path}`;
    const temporary = `${path.slice(0, path.lastIndexOf('/'))}/.${randomBytes(8).toString('hex')}.part`;
    const file = { fd: openSync(temporary, 'wx', 0o600), temporary, stat };
    this.#open.set(id, file);
    return file;
  }

  #close(id: number): void {
    const { fd, temporary, stat } = this.#fileOf(id);
    fchmodSync(fd, permissionsOf(stat.mode));
    closeSync(fd);
    this.#open.delete(id);
    this.#wanted.delete(id);
    const path = `${this.#root}/${stat.path}`;
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) this.#makeRoom(stat.path);
    renameSync(temporary, path);
    setTime(path, stat);
  }

  #makeRoom(name: string): void {
    rmSync(`${this.#root}/${name}`, { recursive: true, force: true });
  }

  #removeOthers(name: string): void {
    for (const each of readdirSync(join(this.#root, name))) {
      const below = name === '' ? each : `${name}/${each}`;
      if (!this.#names.has(below)) rmSync(join(this.#root, below), { recursive: true, force: true });
      else if (this.#directories.has(below)) this.#removeOthers(below);
    }
  }

  /** A path must lie in a directory that came before it: no symlink is ever followed. */
  #checked(path: string): string {
    const parts = path.split('/');
    const isClean = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.includes('\0'));
    if (!isClean || !this.#directories.has(parts.slice(0, -1).join('/'))) {
      throw new WharfError('invalid-argument', `Cannot take the result: "${path}" is no path below its directory`);
    }
    return path;
  }
}

function has(mode: number, bit: number): boolean {
  return Math.floor(mode / bit) % 2 === 1;
}

function isSpecial(mode: number): boolean {
  return has(mode, GO.DEVICE) || has(mode, GO.PIPE) || has(mode, GO.SOCKET);
}

function permissionsOf(mode: number): number {
  const special =
    (has(mode, GO.SETUID) ? 0o4000 : 0) | (has(mode, GO.SETGID) ? 0o2000 : 0) | (has(mode, GO.STICKY) ? 0o1000 : 0);
  return (mode % 0o1000) | special;
}

function setTime(path: string, { modTime }: StatMessage): void {
  const seconds = Number(modTime) / 1e9;
  lutimesSync(path, seconds, seconds);
}
