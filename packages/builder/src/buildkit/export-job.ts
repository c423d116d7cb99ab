import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import { WharfError } from '@wharf/kit';
import { O } from '@wharf/linux/constants';
import { type FileStatus, S } from '@wharf/linux/fsx';
import { Packer } from '@wharf/oci/layers/packer';
import { walk } from '@wharf/oci/layers/walk';
import { type ByteString, fsPath, toText } from '@wharf/oci/tar/bytes';
import type { JobIo } from '@wharf/oci/workers/protocol';
import { encode } from '@wharf/wire/grpc/protobuf';
import { inPlaces, type Place, sourceRoot } from '../files/places.ts';
import { GO, PACKET } from './diff-copy.ts';
import { BytesMessage, Packet } from './messages.ts';

const PIECE_BYTES = 256 * 1024;

export interface ExportParams {
  readonly source: Place;
}

/** Writes a tree as an archive, in pieces that are one BytesMessage each. */
export function exportTarJob({ source }: ExportParams, io: JobIo): Promise<void> {
  return inPlaces([source], undefined, async () => {
    const packer = new Packer({ wholeSeconds: true });
    const send = (data: Uint8Array) => io.write(owned(encode(BytesMessage, { data })));
    for (const { path, name, status } of walk(sourceRoot(0))) {
      if (name === '') continue;
      for (const chunk of packer.addFile(path, name, status)) await send(chunk);
      io.signal.throwIfAborted();
    }
    for (const chunk of packer.end()) await send(chunk);
  });
}

/**
 * The sending side of fsutil's DiffCopy, in pieces that are one Packet each: every path, then the content of the files whose numbers
 * come in, four bytes each, little endian.
 */
export function exportTreeJob({ source }: ExportParams, io: JobIo): Promise<void> {
  return inPlaces([source], undefined, async () => {
    const send = (packet: object) => io.write(owned(encode(Packet, packet)));
    const files = new Map<number, ByteString>();
    const links = new Map<string, ByteString>();
    let id = 0;
    for (const { path, name, status } of walk(sourceRoot(0))) {
      if (name === '') continue;
      io.signal.throwIfAborted();
      const linkKey = status.nlink > 1 && !isKind(status, S.IFDIR) ? `${status.dev}:${status.ino}` : undefined;
      const first = linkKey === undefined ? undefined : links.get(linkKey);
      if (linkKey !== undefined && first === undefined) links.set(linkKey, name);
      await send({ type: PACKET.STAT, stat: statOf(path, name, status, first) });
      if (isKind(status, S.IFREG)) files.set(id, path);
      id += 1;
    }
    await send({ type: PACKET.STAT });
    let rest = Buffer.alloc(0);
    for await (const chunk of io.input) {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= 4; rest = rest.subarray(4)) {
        const wanted = rest.readUInt32LE(0);
        const path = files.get(wanted);
        if (path === undefined) {
          throw new WharfError('invalid-argument', `Cannot send file ${wanted}: there is none of that number`);
        }
        for (const data of contentOf(path)) await send({ type: PACKET.DATA, ID: wanted, data });
        await send({ type: PACKET.DATA, ID: wanted });
        io.signal.throwIfAborted();
      }
    }
  });
}

function* contentOf(path: ByteString): Generator<Uint8Array> {
  const fd = openSync(fsPath(path), O.RDONLY | O.NOFOLLOW | O.NONBLOCK);
  try {
    const buffer = Buffer.allocUnsafe(PIECE_BYTES);
    for (;;) {
      const read = readSync(fd, buffer, 0, PIECE_BYTES, null);
      if (read === 0) return;
      yield buffer.subarray(0, read);
    }
  } finally {
    closeSync(fd);
  }
}

function statOf(path: ByteString, name: ByteString, status: FileStatus, first: ByteString | undefined): object {
  const isDevice = isKind(status, S.IFCHR) || isKind(status, S.IFBLK);
  const isLink = isKind(status, S.IFLNK);
  const target = isLink ? readlinkSync(fsPath(path), { encoding: 'latin1' }) : (first ?? '');
  return {
    ...{ path: toText(name), mode: goMode(status.mode), uid: status.uid, gid: status.gid },
    ...{ size: isKind(status, S.IFREG) ? Number(status.size) : 0, modTime: status.mtimeNs, linkname: toText(target) },
    ...(isDevice ? { devmajor: status.rdevMajor, devminor: status.rdevMinor } : {}),
  };
}

function goMode(mode: number): number {
  const kinds: Readonly<Record<number, number>> = {
    ...{ [S.IFDIR]: GO.DIR, [S.IFLNK]: GO.SYMLINK, [S.IFIFO]: GO.PIPE, [S.IFSOCK]: GO.SOCKET },
    ...{ [S.IFBLK]: GO.DEVICE, [S.IFCHR]: GO.DEVICE + GO.CHAR_DEVICE },
  };
  const special = (mode & 0o4000 ? GO.SETUID : 0) + (mode & 0o2000 ? GO.SETGID : 0) + (mode & 0o1000 ? GO.STICKY : 0);
  return (kinds[mode & S.IFMT] ?? 0) + special + (mode & 0o777);
}

function isKind({ mode }: FileStatus, kind: number): boolean {
  return (mode & S.IFMT) === kind;
}

/** Memory of its own, as it is given away. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
