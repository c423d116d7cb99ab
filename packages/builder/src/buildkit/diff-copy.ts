import { WharfError } from '@wharf/kit';
import type { ByteString } from '@wharf/oci/tar/bytes';

/** Go's os.FileMode, the bits above the permissions. */
export const GO = {
  DIR: 2 ** 31,
  SYMLINK: 2 ** 27,
  DEVICE: 2 ** 26,
  PIPE: 2 ** 25,
  SOCKET: 2 ** 24,
  SETUID: 2 ** 23,
  SETGID: 2 ** 22,
  CHAR_DEVICE: 2 ** 21,
  STICKY: 2 ** 20,
};

/** Packets of fsutil's DiffCopy. */
export const PACKET = { STAT: 0, REQUEST: 1, DATA: 2, FIN: 3, ERROR: 4 } as const;

/** What a client says of one entry of its tree. Names are bytes: nothing says that they are UTF-8. */
export interface ToldEntry {
  readonly path: ByteString;
  /** Go's os.FileMode. */
  readonly mode: number;
  readonly sizeBytes: number;
  readonly mtimeNs: bigint;
  /** Where a symlink leads, or the first name of a file that has several. */
  readonly link: ByteString;
}

export interface ReceivedPacket {
  readonly type: number;
  readonly id: number;
  readonly stat: ToldEntry | undefined;
  /** A part of the bytes that were read. */
  readonly data: Uint8Array;
}

const NOTHING = new Uint8Array();

/**
 * Reads a packet as a client sends it (fsutil's wire.proto and stat.proto). Written out rather than described by a table, since there
 * is one for each file of a context. Throws `invalid-argument`.
 */
export function readPacket(bytes: Uint8Array): ReceivedPacket {
  let type = 0;
  let id = 0;
  let stat: ToldEntry | undefined;
  let data = NOTHING;
  for (const reader = new Fields(bytes); reader.next(); ) {
    if (reader.field === 1) type = reader.number();
    else if (reader.field === 2) stat = readStat(reader.bytes());
    else if (reader.field === 3) id = reader.number();
    else if (reader.field === 4) data = reader.bytes();
    else reader.skip();
  }
  return { type, id, stat, data };
}

function readStat(bytes: Uint8Array): ToldEntry {
  let [path, link] = ['', ''];
  let [mode, sizeBytes] = [0, 0];
  let mtimeNs = 0n;
  for (const reader = new Fields(bytes); reader.next(); ) {
    if (reader.field === 1) path = latin1(reader.bytes());
    else if (reader.field === 2) mode = reader.number();
    else if (reader.field === 5) sizeBytes = reader.number();
    else if (reader.field === 6) mtimeNs = reader.integer();
    else if (reader.field === 7) link = latin1(reader.bytes());
    else reader.skip();
  }
  return { path, mode, sizeBytes, mtimeNs, link };
}

function latin1(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}

/** The fields of a message, one by one. */
class Fields {
  readonly #bytes: Uint8Array;
  #at = 0;
  #wireType = 0;
  field = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  next(): boolean {
    if (this.#at >= this.#bytes.length) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.#wireType = tag % 8;
    return true;
  }

  /** Throws unless it fits into 53 bits and is not negative. */
  number(): number {
    this.#expect(0);
    return this.#varint();
  }

  /** All 64 bits, with a sign. */
  integer(): bigint {
    this.#expect(0);
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
    throw fault();
  }

  bytes(): Uint8Array<ArrayBuffer> {
    this.#expect(2);
    return this.#take(this.#varint());
  }

  skip(): void {
    if (this.#wireType === 0) this.integer();
    else if (this.#wireType === 1) this.#take(8);
    else if (this.#wireType === 2) this.#take(this.#varint());
    else if (this.#wireType === 5) this.#take(4);
    else throw fault();
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw fault();
  }

  #varint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < 8; count += 1) {
      const byte = this.#byte();
      value += (byte & 127) * factor;
      if (byte < 128) {
        if (value > Number.MAX_SAFE_INTEGER) throw fault();
        return value;
      }
      factor *= 128;
    }
    throw fault();
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw fault();
    this.#at += 1;
    return byte;
  }

  #take(length: number): Uint8Array<ArrayBuffer> {
    if (length > this.#bytes.length - this.#at) throw fault();
    const part = this.#bytes.subarray(this.#at, this.#at + length) as Uint8Array<ArrayBuffer>;
    this.#at += length;
    return part;
  }
}

function fault(): WharfError {
  return new WharfError('invalid-argument', "Cannot read the client's files: a packet is malformed");
}
