import { brokenArchive, checksums, readNumber, readString } from './block.ts';
import type { Extent } from './entry.ts';

/** The fields of one 512-byte header, before PAX records and GNU long names are laid over them. */
export interface RawHeader {
  readonly name: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly flag: string;
  readonly linkName: string;
  readonly userName: string;
  readonly groupName: string;
  readonly deviceMajor: number;
  readonly deviceMinor: number;
  /** GNU's old sparse form (`S`): the size with holes, the first extents, and whether extension blocks follow. */
  readonly sparse?: { readonly realSizeBytes: number; readonly extents: Extent[]; readonly extended: boolean };
}

/** Decodes and verifies one header block. `offset` is for messages. Throws `data-loss`. */
export function parseHeader(block: Buffer, offset: number): RawHeader {
  const stored = readNumber(block, 148, 8);
  const { unsigned, signed } = checksums(block);
  if (stored !== unsigned && stored !== signed) throw brokenArchive('the header has a wrong checksum', offset);
  const number = (at: number, length: number, what: string): number => {
    const value = readNumber(block, at, length);
    if (value === undefined) throw brokenArchive(`the ${what} in the header is not a number`, offset);
    return value;
  };
  const flag = String.fromCharCode(block[156] ?? 0);
  const magic = block.toString('latin1', 257, 265);
  const isGnu = magic === 'ustar  \0';
  const isUstar = !isGnu && magic.startsWith('ustar\0');
  const isDevice = flag === '3' || flag === '4';
  const sizeBytes = number(124, 12, 'size');
  if (sizeBytes < 0) throw brokenArchive('the size in the header is negative', offset);
  const name = readString(block, 0, 100);
  const prefix = isUstar ? readPrefix(block) : '';
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(100, 8, 'mode') & 0o7777,
    uid: number(108, 8, 'user id'),
    gid: number(116, 8, 'group id'),
    sizeBytes,
    mtimeSeconds: number(136, 12, 'modification time'),
    flag,
    linkName: readString(block, 157, 100),
    userName: isUstar || isGnu ? readString(block, 265, 32) : '',
    groupName: isUstar || isGnu ? readString(block, 297, 32) : '',
    deviceMajor: isDevice ? number(329, 8, 'device number') : 0,
    deviceMinor: isDevice ? number(337, 8, 'device number') : 0,
    ...(flag === 'S' && { sparse: readOldSparse(block, offset) }),
  };
}

/** Star marks itself with `tar\0` at the very end and keeps times where ustar's prefix goes on. */
function readPrefix(block: Buffer): string {
  const isStar = block.toString('latin1', 508, 512) === 'tar\0';
  return readString(block, 345, isStar ? 131 : 155);
}

function readOldSparse(block: Buffer, offset: number): NonNullable<RawHeader['sparse']> {
  const realSizeBytes = readNumber(block, 483, 12);
  if (realSizeBytes === undefined || realSizeBytes < 0) throw brokenArchive('the sparse size is not a number', offset);
  return { realSizeBytes, extents: readExtents(block, 386, 4, offset), extended: block[482] !== 0 };
}

/** An extension block of GNU's old sparse form: up to 21 more extents. */
export function readSparseExtension(block: Buffer, offset: number): { extents: Extent[]; extended: boolean } {
  return { extents: readExtents(block, 0, 21, offset), extended: block[504] !== 0 };
}

function readExtents(block: Buffer, at: number, count: number, offset: number): Extent[] {
  const extents: Extent[] = [];
  for (let i = 0; i < count; i++) {
    const field = at + i * 24;
    // The list ends at the first empty slot.
    if (block[field] === 0 || block[field + 12] === 0) break;
    const start = readNumber(block, field, 12);
    const length = readNumber(block, field + 12, 12);
    if (start === undefined || length === undefined)
      throw brokenArchive('the sparse map is not made of numbers', offset);
    extents.push({ offset: start, length });
  }
  return extents;
}
