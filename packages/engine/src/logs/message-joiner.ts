import type { JsonMessage } from './json-encode.ts';
import { MAX_MESSAGE_BYTES } from './limits.ts';
import type { LogRecord } from './record.ts';

/** The beginning of a line that has not ended yet, as kept between runs of the daemon. */
export interface PendingLine {
  readonly data: string;
  readonly time: string;
}

interface Pending {
  readonly buffer: Buffer;
  used: number;
  time: Buffer;
  /** An earlier part of this line was already given out. */
  continued: boolean;
}

/**
 * Makes Docker's messages of conmon's records: parts of a line are joined, and lines above 16 KiB are split, never
 * inside a UTF-8 character. Each part of a line carries the time of its first byte.
 */
export class MessageJoiner {
  readonly #emit: (message: JsonMessage) => void;
  readonly #pending: [Pending | undefined, Pending | undefined, Pending | undefined] = [
    undefined,
    undefined,
    undefined,
  ];

  constructor(emit: (message: JsonMessage) => void) {
    this.#emit = emit;
  }

  add(record: LogRecord): void {
    const pending = this.#pending[record.stream];
    if (!pending && record.newline && record.end - record.start <= MAX_MESSAGE_BYTES) {
      this.#emit(record);
      return;
    }
    const line = pending ?? this.#begin(record);
    let from = record.start;
    while (from < record.end) {
      const size = Math.min(record.end - from, MAX_MESSAGE_BYTES - line.used);
      record.data.copy(line.buffer, line.used, from, from + size);
      line.used += size;
      from += size;
      if (line.used === MAX_MESSAGE_BYTES && (from < record.end || !record.newline)) this.#split(line, record.stream);
    }
    if (!record.newline) return;
    this.#give(line, record.stream, line.used, true);
    this.#pending[record.stream] = undefined;
  }

  /** Gives out what has no newline yet: the process has ended. */
  flush(): void {
    for (const stream of [1, 2] as const) {
      const line = this.#pending[stream];
      if (line && line.used > 0) this.#give(line, stream, line.used, false);
      this.#pending[stream] = undefined;
    }
  }

  save(): readonly (PendingLine | null)[] {
    return this.#pending.map((line) =>
      line ? { data: line.buffer.toString('base64', 0, line.used), time: line.time.toString('latin1') } : null,
    );
  }

  restore(saved: readonly (PendingLine | null)[]): void {
    for (const stream of [1, 2] as const) {
      const line = saved[stream];
      this.#pending[stream] = undefined;
      if (!line) continue;
      const data = Buffer.from(line.data, 'base64');
      const buffer = Buffer.allocUnsafeSlow(MAX_MESSAGE_BYTES);
      const used = data.copy(buffer);
      this.#pending[stream] = { buffer, used, time: Buffer.from(line.time, 'latin1'), continued: false };
    }
  }

  #begin(record: LogRecord): Pending {
    const line = {
      buffer: Buffer.allocUnsafeSlow(MAX_MESSAGE_BYTES),
      used: 0,
      time: Buffer.from(record.time.subarray(record.timeStart, record.timeEnd)),
      continued: false,
    };
    this.#pending[record.stream] = line;
    return line;
  }

  #split(line: Pending, stream: 1 | 2): void {
    const end = characterBorder(line.buffer, line.used);
    this.#give(line, stream, end, false);
    line.buffer.copyWithin(0, end, line.used);
    line.used -= end;
    line.continued = true;
  }

  #give(line: Pending, stream: 1 | 2, end: number, newline: boolean): void {
    const { buffer: data, time } = line;
    this.#emit({ data, start: 0, end, newline, stream, time, timeStart: 0, timeEnd: time.length });
  }
}

/** The last border of a UTF-8 character at or before `end`; `end` itself where the bytes are no UTF-8. */
function characterBorder(data: Buffer, end: number): number {
  for (let at = end - 1; at >= Math.max(0, end - 4); at--) {
    const byte = data[at] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    return at + length > end ? at : end;
  }
  return end;
}
