import { LogRecord, type LogScanner, type VisitRecord } from './record.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const NEWLINE = 0x0a;
const LOWER_N = 0x6e;
const LOWER_S = 0x73;
const LOWER_T = 0x74;
const LOWER_U = 0x75;
const BRACE_CLOSE = 0x7d;
/** `{"log":"` */
const OPEN_BYTES = 8;
/** `,"stream":"` */
const STREAM_BYTES = 11;
/** `,"time":"` */
const TIME_BYTES = 9;

/** What a backslash and this byte stand for; 0 for none. */
const unescaped = new Uint8Array(256);
for (const [letter, byte] of [
  ['n', 10],
  ['r', 13],
  ['t', 9],
  ['b', 8],
  ['f', 12],
  ['"', 34],
  ['\\', 92],
  ['/', 47],
] as const) {
  unescaped[letter.charCodeAt(0)] = byte;
}

/**
 * Scans Docker's json-file format. Records laid out as dockerd writes them take the fast way, without an object or a
 * string per line; others are parsed as JSON; broken lines are passed over.
 */
export class JsonScanner implements LogScanner {
  readonly #record = new LogRecord();
  #scratch = Buffer.allocUnsafeSlow(64 * 1024);
  /** Just after the closing quote of the text last read. */
  #after = 0;

  scan(chunk: Buffer, visit: VisitRecord): number {
    const length = chunk.length;
    const record = this.#record;
    let at = 0;
    while (at < length) {
      let next = this.#fast(chunk, at);
      if (next < 0) {
        const end = chunk.indexOf(NEWLINE, at);
        if (end < 0) break;
        next = end + 1;
        if (!this.#slow(chunk, at, end)) {
          at = next;
          continue;
        }
      }
      record.offset = at;
      if (!visit(record)) return at;
      at = next;
    }
    return at;
  }

  /** Reads the record at `at` if it has dockerd's layout; returns where the next begins, or -1. */
  #fast(chunk: Buffer, at: number): number {
    if (chunk[at + 2] !== 0x6c || chunk[at + 7] !== QUOTE || chunk[at + 6] !== 0x3a) return -1;
    if (!this.#text(chunk, at + OPEN_BYTES)) return -1;
    const stream = this.#after + STREAM_BYTES;
    if (chunk[this.#after] !== COMMA || chunk[this.#after + 2] !== LOWER_S || chunk[stream] !== LOWER_S) return -1;
    const record = this.#record;
    record.stream = chunk[stream + 3] === 0x65 ? 2 : 1;
    const rest = stream + 7;
    record.time = chunk;
    if (chunk[rest + 2] !== LOWER_T) return this.#timeAfterAttributes(chunk, rest);
    record.timeStart = rest + TIME_BYTES;
    let end = record.timeStart + 19;
    while (end < chunk.length && chunk[end] !== QUOTE) end += 1;
    record.timeEnd = end;
    return chunk[end + 1] === BRACE_CLOSE && chunk[end + 2] === NEWLINE ? end + 3 : -1;
  }

  /** The time stands last, after attributes of any length. */
  #timeAfterAttributes(chunk: Buffer, from: number): number {
    const end = chunk.indexOf(NEWLINE, from);
    if (end < 0 || chunk[end - 1] !== BRACE_CLOSE || chunk[end - 2] !== QUOTE) return -1;
    const start = chunk.lastIndexOf(QUOTE, end - 3) + 1;
    if (chunk.toString('latin1', start - TIME_BYTES, start) !== ',"time":"') return -1;
    this.#record.timeStart = start;
    this.#record.timeEnd = end - 2;
    return end + 1;
  }

  /** Reads the JSON string whose content begins at `at` into the record's data; false when it does not end here. */
  #text(chunk: Buffer, at: number): boolean {
    const length = chunk.length;
    let i = at;
    let byte = chunk[i];
    while (i < length && byte !== QUOTE && byte !== BACKSLASH) byte = chunk[++i];
    if (i >= length) return false;
    const record = this.#record;
    const ends = byte === QUOTE;
    if (ends || (chunk[i + 1] === LOWER_N && chunk[i + 2] === QUOTE)) {
      record.data = chunk;
      record.start = at;
      record.end = i;
      record.newline = !ends;
      this.#after = ends ? i + 1 : i + 3;
      return true;
    }
    return this.#escapedText(chunk, at, i);
  }

  #escapedText(chunk: Buffer, at: number, firstEscape: number): boolean {
    let i = firstEscape;
    let used = this.#keep(chunk, at, i, 0);
    for (;;) {
      if (i >= chunk.length) return false;
      const byte = chunk[i];
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) {
        const letter = chunk[i + 1] ?? 0;
        if (letter === LOWER_U) {
          const size = this.#unicode(chunk, i, used);
          if (size === 0) return false;
          used = this.#unicodeUsed;
          i += size;
        } else {
          if (unescaped[letter] === 0) return false;
          this.#room(used + 1);
          this.#scratch[used++] = unescaped[letter] ?? 0;
          i += 2;
        }
        continue;
      }
      let end = i + 1;
      while (end < chunk.length && chunk[end] !== QUOTE && chunk[end] !== BACKSLASH) end += 1;
      used = this.#keep(chunk, i, end, used);
      i = end;
    }
    const record = this.#record;
    record.newline = this.#scratch[used - 1] === NEWLINE && used > 0;
    record.data = this.#scratch;
    record.start = 0;
    record.end = record.newline ? used - 1 : used;
    this.#after = i + 1;
    return true;
  }

  #unicodeUsed = 0;

  /** Decodes `\uXXXX` (or a pair of them) and returns the bytes it took, 0 when it is broken. */
  #unicode(chunk: Buffer, at: number, used: number): number {
    const first = Number.parseInt(chunk.toString('latin1', at + 2, at + 6), 16);
    if (Number.isNaN(first)) return 0;
    let size = 6;
    let text = String.fromCharCode(first);
    if (first >= 0xd800 && first < 0xdc00 && chunk[at + 6] === BACKSLASH && chunk[at + 7] === LOWER_U) {
      text += String.fromCharCode(Number.parseInt(chunk.toString('latin1', at + 8, at + 12), 16));
      size = 12;
    }
    this.#room(used + 4);
    this.#unicodeUsed = used + this.#scratch.write(text, used, 'utf8');
    return size;
  }

  #keep(chunk: Buffer, from: number, to: number, used: number): number {
    this.#room(used + to - from);
    chunk.copy(this.#scratch, used, from, to);
    return used + to - from;
  }

  #room(needed: number): void {
    if (needed <= this.#scratch.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#scratch.length * 2));
    this.#scratch.copy(larger);
    this.#scratch = larger;
  }

  /** Any other JSON with the same members. */
  #slow(chunk: Buffer, start: number, end: number): boolean {
    let value: unknown;
    try {
      value = JSON.parse(chunk.toString('utf8', start, end));
    } catch {
      return false;
    }
    if (typeof value !== 'object' || value === null) return false;
    const { log, stream, time } = value as Record<string, unknown>;
    if (typeof time !== 'string') return false;
    const record = this.#record;
    record.data = Buffer.from(typeof log === 'string' ? log : '');
    record.newline = record.data.at(-1) === NEWLINE;
    record.start = 0;
    record.end = record.data.length - (record.newline ? 1 : 0);
    record.stream = stream === 'stderr' ? 2 : 1;
    record.time = Buffer.from(time);
    record.timeStart = 0;
    record.timeEnd = record.time.length;
    return true;
  }
}
