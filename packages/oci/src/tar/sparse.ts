import { brokenArchive } from './block.ts';
import type { Extent } from './entry.ts';
import { MAX_META_BYTES } from './limits.ts';
import { paxInteger } from './pax.ts';

/**
 * Checks a sparse map against the size of the file and the bytes stored, and drops empty extents.
 * Throws `data-loss` for extents out of order, overlapping, beyond the end, or of another sum than what is stored.
 */
export function checkExtents(extents: readonly Extent[], sizeBytes: number, stored: number, offset: number): Extent[] {
  let end = 0;
  let sum = 0;
  for (const extent of extents) {
    if (extent.offset < end || extent.length < 0 || extent.offset + extent.length > sizeBytes) {
      throw brokenArchive('the sparse map does not fit the file', offset);
    }
    end = extent.offset + extent.length;
    sum += extent.length;
  }
  if (sum !== stored) throw brokenArchive('the sparse map does not match the stored data', offset);
  return extents.filter((extent) => extent.length > 0);
}

/** The map of GNU's PAX sparse format 0.1 (`o,n,o,n…`); format 0.0 arrives here joined by commas too. */
export function parseSparseList(list: string, offset: number): Extent[] {
  if (list === '') return [];
  return pairUp(list.split(','), offset);
}

/**
 * The map of GNU's PAX sparse format 1.0, which opens the file's data: a count and then offset and length by turns, one
 * decimal per line, filled up to a whole block.
 */
export class SparseLines {
  #text = '';
  #lines = 0;
  #needed = -1;

  /** Takes the next block; returns the map once it is complete. Throws `data-loss`. */
  add(block: string, offset: number): Extent[] | undefined {
    this.#text += block;
    if (this.#text.length > MAX_META_BYTES) throw brokenArchive('the sparse map is too long', offset);
    for (let at = block.indexOf('\n'); at >= 0; at = block.indexOf('\n', at + 1)) this.#lines++;
    if (this.#needed < 0) this.#needed = this.#readCount(offset) * 2 + 1;
    if (this.#lines < this.#needed) return undefined;
    return pairUp(this.#text.split('\n', this.#needed).slice(1), offset);
  }

  #readCount(offset: number): number {
    const count = paxInteger(this.#text.slice(0, Math.max(0, this.#text.indexOf('\n'))));
    if (count === undefined || count < 0) throw brokenArchive('the sparse map has no count', offset);
    return count;
  }
}

function pairUp(numbers: readonly string[], offset: number): Extent[] {
  if (numbers.length % 2 !== 0) throw brokenArchive('the sparse map ends in the middle of a pair', offset);
  const extents: Extent[] = [];
  for (let i = 0; i < numbers.length; i += 2) {
    const start = paxInteger(numbers[i] ?? '');
    const length = paxInteger(numbers[i + 1] ?? '');
    if (start === undefined || length === undefined || start < 0 || length < 0) {
      throw brokenArchive('the sparse map is not made of numbers', offset);
    }
    extents.push({ offset: start, length });
  }
  return extents;
}
