import { createHash } from 'node:crypto';
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';
import { WharfError } from '@wharf/kit';
import { O } from '@wharf/linux/constants';
import { type FileStatus, S } from '@wharf/linux/fsx';
import { Packer } from '@wharf/oci/layers/packer';
import { walk } from '@wharf/oci/layers/walk';
import { type ByteString, fsPath, toBytes, toText } from '@wharf/oci/tar/bytes';
import type { JobIo } from '@wharf/oci/workers/protocol';
import { FRAME_HEADER_BYTES, writeFrameHeader } from '@wharf/wire/grpc/framing';
import { encode, encodeHead } from '@wharf/wire/grpc/protobuf';
import type { Subject } from '../export/attestation-manifest.ts';
import type { ExtraFile } from '../export/statement-files.ts';
import { inPlaces, type Place, sourceRoot } from '../files/places.ts';
import { GO, PACKET } from './diff-copy.ts';
import { goMode } from './go-mode.ts';
import { BytesMessage, Packet } from './messages.ts';

const PIECE_BYTES = 256 * 1024;

/** A tree of the result, and what goes with it. */
export interface ExportPart {
  readonly source: Place;
  /** The directory it is put into; empty for none. */
  readonly directory: string;
  /** Files besides the tree's; one of the same name replaces the tree's. */
  readonly extra: readonly ExtraFile[];
}

export interface ExportParams {
  readonly parts: readonly ExportPart[];
  /** Every file's time, where it is not to be its own; nanoseconds since 1970. */
  readonly timeNs: bigint | undefined;
}

/** Writes trees as an archive, in pieces that are one BytesMessage each, framed. */
export function exportTarJob(params: ExportParams, io: JobIo): Promise<void> {
  return inParts(params, async (entries) => {
    const packer = new Packer({ wholeSeconds: true, fixedNs: params.timeNs, reuse: true });
    const send = (data: Uint8Array) =>
      io.write(framed(io, encodeHead(BytesMessage, {}, { name: 'data', length: data.length }), data));
    for (const entry of entries) {
      io.signal.throwIfAborted();
      for (const chunk of tarPieces(packer, entry, params)) await send(chunk);
    }
    for (const chunk of packer.end()) await send(chunk);
  });
}

function* tarPieces(packer: Packer, entry: Entry, { timeNs }: ExportParams): Generator<Uint8Array> {
  const times = timeNs === undefined ? {} : { mtimeNs: timeNs };
  if (entry.kind === 'tree') yield* packer.addFile(entry.path, entry.name, entry.status);
  else if (entry.kind === 'directory')
    yield* packer.addEntry({ name: entry.name, type: 'directory', mode: 0o755, ...times });
  else yield* packer.addContent({ name: entry.name, type: 'file', mode: 0o600, ...times }, entry.data);
}

/** What is said of a tree's files: the digest of each, by its name. */
export function exportDigestsJob({ parts }: ExportParams, io: JobIo): Promise<readonly Subject[]> {
  return inParts({ parts, timeNs: undefined }, async (entries) => {
    const subjects: Subject[] = [];
    for (const entry of entries) {
      if (entry.kind !== 'tree' || !isKind(entry.status, S.IFREG)) continue;
      io.signal.throwIfAborted();
      const hash = createHash('sha256');
      for (const data of contentOf(entry.path)) hash.update(data);
      subjects.push({ name: toText(entry.name), digest: { sha256: hash.digest('hex') } });
    }
    return subjects;
  });
}

/** The names of all files, directories left out. */
export function exportNamesJob({ parts }: ExportParams, io: JobIo): Promise<readonly string[]> {
  return inParts({ parts, timeNs: undefined }, async (entries) => {
    const names: string[] = [];
    for (const entry of entries) {
      io.signal.throwIfAborted();
      if (entry.kind === 'file' || (entry.kind === 'tree' && !isKind(entry.status, S.IFDIR))) names.push(entry.name);
    }
    return names;
  });
}

/** Something to export, under its name there. */
type Entry =
  | { readonly kind: 'tree'; readonly name: ByteString; readonly path: ByteString; readonly status: FileStatus }
  | { readonly kind: 'directory'; readonly name: ByteString }
  | { readonly kind: 'file'; readonly name: ByteString; readonly data: Buffer };

function inParts<T>({ parts }: ExportParams, work: (entries: Generator<Entry>) => Promise<T>): Promise<T> {
  return inPlaces(
    parts.map(({ source }) => source),
    undefined,
    () => work(entriesOf(parts)),
  );
}

/** Everything in the order that fsutil wants: siblings by their bytes, a directory right before what is in it. */
function* entriesOf(parts: readonly ExportPart[]): Generator<Entry> {
  const order = parts.map((part, index) => ({ ...part, index }));
  for (const { directory, extra, index } of order.toSorted((a, b) => (a.directory < b.directory ? -1 : 1))) {
    if (directory !== '') yield { kind: 'directory', name: directory };
    const prefix = directory === '' ? '' : `${directory}/`;
    const files = extra.map((file) => ({ ...file, name: toBytes(file.name) }));
    const waiting = files.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const { path, name, status } of walk(sourceRoot(index))) {
      if (name === '') continue;
      const top = name.split('/', 1)[0] ?? name;
      while (waiting[0] !== undefined && waiting[0].name < top) yield fileEntry(prefix, waiting.shift());
      if (waiting[0]?.name !== top) yield { kind: 'tree', name: prefix + name, path, status };
    }
    while (waiting.length > 0) yield fileEntry(prefix, waiting.shift());
  }
}

function fileEntry(prefix: string, file: ExtraFile | undefined): Entry {
  return { kind: 'file', name: prefix + (file?.name ?? ''), data: Buffer.from(file?.text ?? '') };
}

/**
 * The sending side of fsutil's DiffCopy, in pieces that are one Packet each, framed: every path, then the content of the files whose numbers
 * come in, four bytes each, little endian.
 */
export function exportTreeJob(params: ExportParams, io: JobIo): Promise<void> {
  return inParts(params, async (entries) => {
    const send = (packet: object) => io.write(framed(io, encode(Packet, packet)));
    const files = new Map<number, ByteString | Buffer>();
    const links = new Map<string, ByteString>();
    let id = 0;
    for (const entry of entries) {
      io.signal.throwIfAborted();
      await send({ type: PACKET.STAT, stat: statOf(entry, links, params.timeNs) });
      if (entry.kind === 'file') files.set(id, entry.data);
      else if (entry.kind === 'tree' && isKind(entry.status, S.IFREG)) files.set(id, entry.path);
      id += 1;
    }
    await send({ type: PACKET.STAT });
    let rest = Buffer.alloc(0);
    for await (const chunk of io.input) {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= 4; rest = rest.subarray(4)) {
        const wanted = rest.readUInt32LE(0);
        const file = files.get(wanted);
        if (file === undefined) {
          throw new WharfError('invalid-argument', `Cannot send file ${wanted}: there is none of that number`);
        }
        for (const data of contentOf(file)) {
          const head = encodeHead(Packet, { type: PACKET.DATA, ID: wanted }, { name: 'data', length: data.length });
          await io.write(framed(io, head, data));
        }
        await send({ type: PACKET.DATA, ID: wanted });
        io.signal.throwIfAborted();
      }
    }
  });
}

function* contentOf(path: ByteString | Buffer): Generator<Uint8Array> {
  if (Buffer.isBuffer(path)) {
    yield path;
    return;
  }
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

/** @param links the first name of every file that has several */
function statOf(entry: Entry, links: Map<string, ByteString>, timeNs: bigint | undefined): object {
  const path = toText(entry.name);
  if (entry.kind === 'directory') return { path, mode: GO.DIR + 0o755, modTime: timeNs ?? nowNs() };
  if (entry.kind === 'file') return { path, mode: 0o600, size: entry.data.length, modTime: timeNs ?? nowNs() };
  const { status } = entry;
  const linkKey = status.nlink > 1 && !isKind(status, S.IFDIR) ? `${status.dev}:${status.ino}` : undefined;
  const first = linkKey === undefined ? undefined : links.get(linkKey);
  if (linkKey !== undefined && first === undefined) links.set(linkKey, entry.name);
  const isDevice = isKind(status, S.IFCHR) || isKind(status, S.IFBLK);
  const isLink = isKind(status, S.IFLNK);
  const target = isLink ? readlinkSync(fsPath(entry.path), { encoding: 'latin1' }) : (first ?? '');
  return {
    ...{ path, mode: goMode(status.mode), uid: status.uid, gid: status.gid },
    ...{ size: isKind(status, S.IFREG) ? Number(status.size) : 0, modTime: timeNs ?? status.mtimeNs },
    linkname: toText(target),
    ...(isDevice ? { devmajor: status.rdevMajor, devminor: status.rdevMinor } : {}),
  };
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

function isKind({ mode }: FileStatus, kind: number): boolean {
  return (mode & S.IFMT) === kind;
}

/** A message in memory of its own, as gRPC sends it. */
function framed(io: JobIo, head: Uint8Array, data?: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = io.memory(FRAME_HEADER_BYTES + head.length + (data?.length ?? 0));
  bytes.set(head, FRAME_HEADER_BYTES);
  if (data !== undefined) bytes.set(data, FRAME_HEADER_BYTES + head.length);
  writeFrameHeader(Buffer.from(bytes.buffer, 0, bytes.length));
  return bytes;
}
