import type { FileHandle } from 'node:fs/promises';
import { CRI_HEADER_BYTES, criStream, isCriHeader, isCriPartial } from './cri.ts';
import { MAX_RECORD_BYTES, TAIL_BLOCK_BYTES, TAIL_LOOK_BACK_BYTES } from './limits.ts';

const NEWLINE = 0x0a;

export interface TailFile {
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  /** Position of its first byte over all files. */
  readonly base: number;
}

export interface TailStart {
  /** Reading begins here, a position over all files. */
  readonly position: number;
  /** Records of stdout (1) and stderr (2) before these positions belong to lines that are not wanted. */
  readonly skipBefore: readonly [number, number, number];
}

interface BackwardRecord {
  readonly position: number;
  readonly stream: 1 | 2;
  readonly partial: boolean;
}

/** Visits the records of one file from its end to its beginning until `visit` returns false. */
async function visitBackward(
  file: TailFile,
  format: 'cri' | 'json',
  visit: (record: BackwardRecord, end: number) => boolean,
): Promise<boolean> {
  let end = file.sizeBytes;
  let block = TAIL_BLOCK_BYTES;
  const buffers = { current: Buffer.allocUnsafeSlow(block) };
  while (end > 0) {
    const start = Math.max(0, end - block);
    if (buffers.current.length < end - start) buffers.current = Buffer.allocUnsafeSlow(end - start);
    const { bytesRead } = await file.handle.read(buffers.current, 0, end - start, start);
    const data = buffers.current.subarray(0, bytesRead);
    // What follows the last newline is still being written.
    let recordEnd = data.lastIndexOf(NEWLINE) + 1;
    let found = false;
    while (recordEnd > 0) {
      const at = recordEnd < 2 ? 0 : data.lastIndexOf(NEWLINE, recordEnd - 2) + 1;
      if (at === 0 && start > 0) break;
      found = true;
      if (!visitAt(data, at, recordEnd, start + file.base, format, visit)) return false;
      recordEnd = at;
    }
    if (start === 0) return true;
    if (found) block = TAIL_BLOCK_BYTES;
    else if (block < MAX_RECORD_BYTES) block *= 2;
    else recordEnd = 0;
    end = found ? start + recordEnd : block < MAX_RECORD_BYTES ? end : start;
  }
  return true;
}

function visitAt(
  data: Buffer,
  at: number,
  end: number,
  base: number,
  format: 'cri' | 'json',
  visit: (record: BackwardRecord, end: number) => boolean,
): boolean {
  if (format === 'json') return visit({ position: base + at, stream: 1, partial: false }, base + end);
  if (end - at <= CRI_HEADER_BYTES || !isCriHeader(data, at)) return true;
  return visit({ position: base + at, stream: criStream(data, at), partial: isCriPartial(data, at) }, base + end);
}

/**
 * Where the last `lines` lines begin, found from the end. A line is what ends with a newline (or the unfinished rest of
 * a stream); in conmon's format its parts may lie between parts of the other stream's lines.
 */
export async function findTail(
  files: readonly TailFile[],
  format: 'cri' | 'json',
  lines: number,
): Promise<TailStart | undefined> {
  const last = files.at(-1);
  const total = last ? last.base + last.sizeBytes : 0;
  if (lines <= 0) return { position: total, skipBefore: [0, total, total] };
  const search = new TailSearch(lines, format);
  for (const file of files.toReversed()) {
    if (!(await visitBackward(file, format, (record, end) => search.visit(record, end)))) break;
  }
  return search.result();
}

class TailSearch {
  readonly #lines: number;
  readonly #format: 'cri' | 'json';
  #count = 0;
  /** The end of the first wanted line's last record was found; now beginnings are looked for. */
  #boundary: number | undefined;
  readonly #seen: [boolean, boolean, boolean] = [false, false, false];
  readonly #skip: [number, number, number] = [0, -1, -1];

  constructor(lines: number, format: 'cri' | 'json') {
    this.#lines = lines;
    this.#format = format;
  }

  visit(record: BackwardRecord, end: number): boolean {
    const { stream } = record;
    const endsLine = !record.partial || !this.#seen[stream];
    this.#seen[stream] = true;
    if (this.#boundary !== undefined) return this.#lookBack(record, end, endsLine);
    if (!endsLine) return true;
    this.#count += 1;
    if (this.#count < this.#lines) return true;
    this.#boundary = record.position;
    if (this.#format === 'json') {
      this.#skip.fill(record.position);
      return false;
    }
    return true;
  }

  #lookBack(record: BackwardRecord, end: number, endsLine: boolean): boolean {
    const boundary = this.#boundary ?? 0;
    if (endsLine && this.#skip[record.stream] < 0) this.#skip[record.stream] = end;
    if (boundary - record.position > TAIL_LOOK_BACK_BYTES) {
      for (const stream of [1, 2] as const) if (this.#skip[stream] < 0) this.#skip[stream] = end;
    }
    return this.#skip[1] < 0 || this.#skip[2] < 0;
  }

  /** Undefined: there are no more lines than wanted, everything is. */
  result(): TailStart | undefined {
    if (this.#boundary === undefined) return undefined;
    const [, out, err] = this.#skip;
    const skipBefore: [number, number, number] = [0, Math.max(out, 0), Math.max(err, 0)];
    return { position: Math.min(skipBefore[1], skipBefore[2], this.#boundary), skipBefore };
  }
}
