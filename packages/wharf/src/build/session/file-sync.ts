import { closeSync, constants, openSync, readlinkSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { GO, PACKET } from '@wharf/builder/buildkit/diff-copy';
import { Packet, type PacketMessage } from '@wharf/builder/buildkit/messages';
import { hasErrno, WharfError } from '@wharf/kit';
import { FRAME_HEADER_BYTES, writeFrameHeader } from '@wharf/wire/grpc/framing';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import type { GrpcCall, GrpcHandler } from '@wharf/wire/grpc/server';
import { GRPC, GrpcError } from '@wharf/wire/grpc/status';
import { PIECE_BYTES } from '../limits.ts';
import { type ContextEntry, unreadable, walkContext } from './walk-context.ts';

/** Told of what is sent of a directory. */
export type SyncListener = (directory: string, sent: { readonly bytes: number; readonly files: number }) => void;

/** How long the walk may go on before others have their turn, in milliseconds. */
const TURN_MS = 10;

/**
 * The sending side of fsutil's DiffCopy (BuildKit, `FileSync.DiffCopy`): tells every path, and sends the files that are asked for,
 * piece by piece, while it goes on telling. Owners are not told, since they mean nothing elsewhere.
 */
export function fileSync(directories: ReadonlyMap<string, string>, listener: SyncListener): GrpcHandler {
  return async (call) => {
    const name = call.metadata.get('dir-name')?.[0] ?? '';
    const root = directories.get(name);
    if (root === undefined) throw new GrpcError(GRPC.NOT_FOUND, `no access allowed to dir "${name}"`);
    const sender = new Sender(call, root, (sent) => listener(name, sent));
    await sender.run();
  };
}

class Sender {
  readonly #call: GrpcCall;
  readonly #root: string;
  readonly #tell: (sent: { readonly bytes: number; readonly files: number }) => void;
  readonly #files = new Map<number, string>();
  readonly #wanted: number[] = [];
  readonly #buffer = Buffer.allocUnsafe(PIECE_BYTES + 64);
  #wake: (() => void) | undefined;
  #finished = false;
  #failure: unknown;
  #turn = performance.now();
  #sent = { bytes: 0, files: 0 };

  constructor(call: GrpcCall, root: string, tell: (sent: { readonly bytes: number; readonly files: number }) => void) {
    this.#call = call;
    this.#root = root;
    this.#tell = tell;
  }

  async run(): Promise<void> {
    void this.#listen();
    const links = new Map<string, string>();
    let id = 0;
    for (const entry of walkContext(this.#root, selectionOf(this.#call))) {
      await this.#call.send(encode(Packet, { type: PACKET.STAT, stat: statOf(entry, links) }));
      if (entry.status.isFile()) this.#files.set(id, entry.path);
      id += 1;
      // Whoever asks holds a file open for each that it waits for.
      while (this.#wanted.length > 0) await this.#answer();
      await this.#rest();
    }
    await this.#call.send(encode(Packet, { type: PACKET.STAT }));
    while (!this.#finished) {
      if (this.#failure !== undefined) throw this.#failure;
      if (this.#wanted.length > 0) await this.#answer();
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    await this.#call.send(encode(Packet, { type: PACKET.FIN }));
  }

  /** Takes what the daemon asks for, as it comes. */
  async #listen(): Promise<void> {
    try {
      for await (const bytes of this.#call.messages) {
        const packet = decode<PacketMessage>(Packet, bytes);
        if (packet.type === PACKET.REQUEST) this.#wanted.push(packet.ID);
        else if (packet.type === PACKET.FIN) this.#finished = true;
        else if (packet.type === PACKET.ERROR) {
          this.#failure = new WharfError(
            'unavailable',
            `error from receiver: ${Buffer.from(packet.data).toString('utf8')}`,
          );
        }
        this.#wake?.();
      }
      if (!this.#finished) this.#failure ??= new GrpcError(GRPC.CANCELLED, 'the daemon wants no more of the files');
    } catch (error) {
      this.#failure ??= error;
    }
    this.#wake?.();
  }

  async #answer(): Promise<void> {
    const id = this.#wanted.shift();
    const path = id === undefined ? undefined : this.#files.get(id);
    if (id === undefined || path === undefined) {
      throw new WharfError('invalid-argument', `Cannot send file ${id}: there is none of that number`);
    }
    this.#files.delete(id);
    const fd = openFile(path);
    try {
      for (;;) {
        const framed = this.#piece(fd, id);
        if (framed === undefined) break;
        await this.#call.sendFramed(framed);
        await this.#rest();
      }
    } finally {
      closeSync(fd);
    }
    this.#sent.files += 1;
    this.#tell(this.#sent);
    await this.#call.send(encode(Packet, { type: PACKET.DATA, ID: id }));
  }

  /** The next piece of a file as a message that is ready to go; the file is read into its place. */
  #piece(fd: number, id: number): Buffer | undefined {
    const read = readSync(fd, this.#buffer, 0, PIECE_BYTES, null);
    if (read === 0) return undefined;
    const head = [0x08, PACKET.DATA, ...(id === 0 ? [] : [0x18, ...varint(id)]), 0x22, ...varint(read)];
    const framed = Buffer.allocUnsafe(FRAME_HEADER_BYTES + head.length + read);
    framed.set(head, FRAME_HEADER_BYTES);
    this.#buffer.copy(framed, FRAME_HEADER_BYTES + head.length, 0, read);
    this.#sent.bytes += read;
    this.#tell(this.#sent);
    return writeFrameHeader(framed);
  }

  /** Lets others have their turn: what is written and read here never waits by itself while the connection takes it. */
  async #rest(): Promise<void> {
    if (performance.now() - this.#turn < TURN_MS) return;
    await setImmediate();
    this.#turn = performance.now();
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ELOOP')) {
      throw new WharfError('unavailable', `Cannot send "${path}": it vanished while the build context was read`, {
        cause: error,
        hint: 'Something writes into the context. Leave that out by .dockerignore, or build again.',
      });
    }
    throw unreadable(path, error);
  }
}

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  bytes.push(rest);
  return bytes;
}

function selectionOf({ metadata }: GrpcCall) {
  const list = (key: string): readonly string[] => {
    const values = metadata.get(key) ?? [];
    return metadata.get(`${key}-encoded`)?.[0] === '1' ? values.map(decodeURIComponent) : values;
  };
  return { include: list('include-patterns'), exclude: list('exclude-patterns'), follow: list('followpaths') };
}

function statOf({ path, name, status }: ContextEntry, links: Map<string, string>): object {
  const mode = Number(status.mode);
  const linked = status.isFile() && status.nlink > 1n ? `${status.dev}:${status.ino}` : undefined;
  const first = linked === undefined ? undefined : links.get(linked);
  if (linked !== undefined && first === undefined) links.set(linked, name);
  return {
    path: name,
    mode: kindOf(status) + specialOf(mode) + (mode & 0o777),
    size: status.isFile() ? Number(status.size) : 0,
    modTime: status.mtimeNs,
    linkname: status.isSymbolicLink() ? readlinkSync(path) : (first ?? ''),
    ...(status.isBlockDevice() || status.isCharacterDevice() ? devices(Number(status.rdev)) : {}),
  };
}

function kindOf(status: ContextEntry['status']): number {
  if (status.isFile()) return 0;
  if (status.isDirectory()) return GO.DIR;
  if (status.isSymbolicLink()) return GO.SYMLINK;
  if (status.isFIFO()) return GO.PIPE;
  if (status.isSocket()) return GO.SOCKET;
  return status.isCharacterDevice() ? GO.DEVICE + GO.CHAR_DEVICE : GO.DEVICE;
}

function specialOf(mode: number): number {
  return (mode & 0o4000 ? GO.SETUID : 0) + (mode & 0o2000 ? GO.SETGID : 0) + (mode & 0o1000 ? GO.STICKY : 0);
}

/** Linux's `dev_t` (makedev(3)). */
function devices(rdev: number): { readonly devmajor: number; readonly devminor: number } {
  const high = Math.floor(rdev / 2 ** 32);
  const low = rdev % 2 ** 32;
  return {
    devmajor: ((low >>> 8) & 0xfff) | (high & 0xfffff000),
    devminor: (low & 0xff) | ((low >>> 12) & 0xffffff00),
  };
}
