import { LogRecord, type LogScanner, type VisitRecord } from './record.ts';

/** `2026-11-21T01:33:51.123456789+00:00 stdout F `: conmon's records begin with 45 bytes (Kubernetes CRI log format). */
export const CRI_HEADER_BYTES = 45;
const TIME_BYTES = 35;
const STREAM_AT = 39;
const TAG_AT = 43;

const SPACE = 0x20;
const NEWLINE = 0x0a;
const DOT = 0x2e;
const UPPER_P = 0x50;
const LOWER_E = 0x65;

/** True when a record of conmon's begins at `at`. */
export function isCriHeader(chunk: Buffer, at: number): boolean {
  return (
    chunk[at + TIME_BYTES] === SPACE &&
    chunk[at + TAG_AT - 1] === SPACE &&
    chunk[at + TAG_AT + 1] === SPACE &&
    chunk[at + 19] === DOT
  );
}

/** 2 for stderr, 1 for stdout, of the record at `at`. */
export function criStream(chunk: Buffer, at: number): 1 | 2 {
  return chunk[at + STREAM_AT] === LOWER_E ? 2 : 1;
}

/** True when the record at `at` is only a part of a line, continued by the next record of its stream. */
export function isCriPartial(chunk: Buffer, at: number): boolean {
  return chunk[at + TAG_AT] === UPPER_P;
}

/** Scans conmon's `k8s-file` format. Lines that are none of conmon's are passed over. */
export class CriScanner implements LogScanner {
  readonly #record = new LogRecord();

  scan(chunk: Buffer, visit: VisitRecord): number {
    const record = this.#record;
    const length = chunk.length;
    record.data = chunk;
    record.time = chunk;
    let at = 0;
    while (at < length) {
      const valid = at + CRI_HEADER_BYTES <= length && isCriHeader(chunk, at);
      const end = chunk.indexOf(NEWLINE, valid ? at + CRI_HEADER_BYTES : at);
      if (end < 0) break;
      if (valid) {
        record.offset = at;
        record.stream = criStream(chunk, at);
        record.newline = !isCriPartial(chunk, at);
        record.start = at + CRI_HEADER_BYTES;
        record.end = end;
        record.timeStart = at;
        record.timeEnd = at + TIME_BYTES;
        if (!visit(record)) return at;
      }
      at = end + 1;
    }
    return at;
  }
}
