import { WharfError } from '@wharf/kit';

/** Everything in a tar is a multiple of this (POSIX.1-2024, pax, "ustar Interchange Format"). */
export const BLOCK = 512;

/** The error for an archive that cannot be read. `offset` is where in the uncompressed archive the fault lies. */
export function brokenArchive(what: string, offset: number): WharfError {
  return new WharfError('data-loss', `Cannot read tar archive at byte ${offset}: ${what}`);
}

/** Bytes from `size` up to the next block. */
export function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

/** The header's checksum with its own field read as spaces: unsigned as POSIX has it, and signed as old Suns had it. */
export function checksums(block: Uint8Array): { readonly unsigned: number; readonly signed: number } {
  let unsigned = 0;
  let negative = 0;
  for (let i = 0; i < BLOCK; i++) {
    // The index is in range: a header is always a whole block.
    const byte = i >= 148 && i < 156 ? 0x20 : block[i]!;
    unsigned += byte;
    if (byte > 127) negative++;
  }
  return { unsigned, signed: unsigned - negative * 256 };
}

export function isZeroBlock(block: Uint8Array): boolean {
  for (let i = 0; i < BLOCK; i++) if (block[i] !== 0) return false;
  return true;
}

/** Decodes a numeric field: octal, or GNU and star base-256. Undefined when it is neither, or beyond 2^53. */
export function readNumber(block: Uint8Array, offset: number, length: number): number | undefined {
  const first = block[offset] ?? 0;
  if (first & 0x80) return readBase256(block, offset, length);
  let end = offset + length;
  let start = offset;
  while (start < end && (block[start] === 0x20 || block[start] === 0)) start++;
  while (end > start && (block[end - 1] === 0x20 || block[end - 1] === 0)) end--;
  let value = 0;
  for (let i = start; i < end; i++) {
    const byte = block[i] ?? 0;
    // A field ends at its first NUL; what follows is left over from an earlier use of the buffer.
    if (byte === 0) break;
    const digit = byte - 0x30;
    if (digit < 0 || digit > 7) return undefined;
    value = value * 8 + digit;
  }
  return Number.isSafeInteger(value) ? value : undefined;
}

function readBase256(block: Uint8Array, offset: number, length: number): number | undefined {
  const first = block[offset] ?? 0;
  const negative = (first & 0x40) !== 0;
  let value = BigInt(negative ? first | ~0xff : first & 0x7f);
  for (let i = offset + 1; i < offset + length; i++) value = (value << 8n) | BigInt(block[i] ?? 0);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** A NUL-terminated field as bytes. */
export function readString(block: Buffer, offset: number, length: number): string {
  let end = offset;
  const limit = offset + length;
  while (end < limit && block[end] !== 0) end++;
  return block.toString('latin1', offset, end);
}
