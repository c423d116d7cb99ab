import type { LogFormat } from './log-service.ts';
import type { LogRecord } from './record.ts';
import { FIXED_TIME_BYTES, writeFixedTime } from './times.ts';

const HEADER_BYTES = 8;
const NEWLINE = 0x0a;
const SPACE = 0x20;
/** Shorter data is copied faster byte by byte than by a call. */
const SMALL_BYTES = 48;

/** Puts records into the form the logs endpoint sends, one stdcopy frame a record. */
export class LogFormatter {
  readonly #format: LogFormat;
  readonly #details: Buffer;
  #buffer: Buffer = Buffer.alloc(0);
  #used = 0;

  /** `details` is the text before each line, without the blank; only used when the format wants it. */
  constructor(format: LogFormat, details: string) {
    this.#format = format;
    this.#details = Buffer.from(format.details ? `${details} ` : '');
  }

  add(record: LogRecord, continued: boolean): void {
    const size = record.end - record.start + (record.newline ? 1 : 0);
    this.#room(size + HEADER_BYTES + FIXED_TIME_BYTES + 1 + this.#details.length);
    const target = this.#buffer;
    const frame = this.#used;
    let at = this.#format.framed ? frame + HEADER_BYTES : frame;
    const start = at;
    if (!continued) at = this.#prefix(target, at, record);
    at = copy(record, target, at);
    if (record.newline) target[at++] = NEWLINE;
    if (this.#format.framed) {
      target[frame] = record.stream;
      target[frame + 1] = 0;
      target[frame + 2] = 0;
      target[frame + 3] = 0;
      const length = at - start;
      target[frame + 4] = length >>> 24;
      target[frame + 5] = length >>> 16;
      target[frame + 6] = length >>> 8;
      target[frame + 7] = length;
    }
    this.#used = at;
  }

  /** What was added since the last call; the caller owns it. */
  take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#used);
    this.#buffer = Buffer.alloc(0);
    this.#used = 0;
    return bytes;
  }

  #prefix(target: Buffer, from: number, record: LogRecord): number {
    let at = from;
    if (this.#format.timestamps) {
      writeFixedTime(target, at, record.time, record.timeStart, record.timeEnd);
      at += FIXED_TIME_BYTES;
      target[at++] = SPACE;
    }
    if (this.#details.length > 0) {
      target.set(this.#details, at);
      at += this.#details.length;
    }
    return at;
  }

  #room(needed: number): void {
    if (this.#used + needed <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#used + needed, this.#buffer.length * 2, 16 * 1024));
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
  }
}

function copy(record: LogRecord, target: Buffer, from: number): number {
  const { data, start, end } = record;
  if (end - start > SMALL_BYTES) {
    data.copy(target, from, start, end);
    return from + end - start;
  }
  let at = from;
  for (let i = start; i < end; i++) target[at++] = data[i] ?? 0;
  return at;
}
