import { FIXED_TIME_BYTES, writeShortTime } from './times.ts';

const hex = Buffer.from('0123456789abcdef', 'latin1');

/** 0: as it is; 1: `\u00XX`; 2: beyond ASCII; else the letter after the backslash. */
const kinds = new Uint8Array(256);
kinds.fill(1, 0, 0x20);
kinds.fill(2, 0x80);
kinds[0x0a] = 0x6e;
kinds[0x0d] = 0x72;
kinds[0x22] = 0x22;
kinds[0x5c] = 0x5c;
for (const html of '<>&') kinds[html.charCodeAt(0)] = 1;

/** Bytes of the UTF-8 sequence at `at` (Unicode, table 3-7), or 0 when it is not well formed. */
export function utf8Length(data: Buffer, at: number, end: number): number {
  const first = data[at] ?? 0;
  if (first < 0xc2 || first > 0xf4) return 0;
  const length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (at + length > end) return 0;
  const second = data[at + 1] ?? 0;
  const low = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < low || second > high) return 0;
  for (let i = 2; i < length; i++) if (((data[at + i] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

export interface JsonMessage {
  readonly data: Buffer;
  readonly start: number;
  readonly end: number;
  readonly newline: boolean;
  readonly stream: 1 | 2;
  readonly time: Buffer;
  readonly timeStart: number;
  readonly timeEnd: number;
}

/** Longer runs are copied faster by a call than byte by byte. */
const LONG_RUN_BYTES = 40;
const EMPTY = Buffer.alloc(0);
const OPEN = Buffer.from('{"log":"', 'latin1');
const NEWLINE_ESCAPE = Buffer.from('\\n', 'latin1');
const STREAMS = [Buffer.alloc(0), Buffer.from('","stream":"stdout"'), Buffer.from('","stream":"stderr"')] as const;
const TIME = Buffer.from(',"time":"', 'latin1');
const CLOSE = Buffer.from('"}\n', 'latin1');

/** Collects records in Docker's json-file format, byte for byte as dockerd writes them. */
export class JsonEncoder {
  readonly #attributes: Buffer;
  #buffer: Buffer = EMPTY;
  #used = 0;

  /**
   * `attributes` is what `labels`, `env` and `tag` options add to each record; none when empty. Records are made in `buffer` while
   * they fit.
   */
  constructor(attributes: Readonly<Record<string, string>>, buffer: Buffer = EMPTY) {
    this.#buffer = buffer;
    const sorted = Object.fromEntries(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)));
    this.#attributes = Buffer.from(Object.keys(sorted).length > 0 ? `,"attrs":${JSON.stringify(sorted)}` : '');
  }

  get length(): number {
    return this.#used;
  }

  /** The records added; valid until the next `add`. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#used);
  }

  add(message: JsonMessage): void {
    const { data, start, end } = message;
    // Every byte may become six; the rest of a record is below 128 bytes and the attributes.
    this.#room(this.#used + (end - start) * 6 + 128 + this.#attributes.length);
    this.#put(OPEN);
    this.#escape(data, start, end);
    if (message.newline) this.#put(NEWLINE_ESCAPE);
    this.#put(STREAMS[message.stream]);
    this.#put(this.#attributes);
    this.#put(TIME);
    this.#used = writeShortTime(this.#buffer, this.#used, message.time, message.timeStart, message.timeEnd);
    this.#put(CLOSE);
  }

  #put(bytes: Buffer): void {
    const target = this.#buffer;
    let used = this.#used;
    for (let i = 0; i < bytes.length; i++) target[used++] = bytes[i] ?? 0;
    this.#used = used;
  }

  #room(needed: number): void {
    const total = needed + FIXED_TIME_BYTES;
    if (total <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(total, this.#buffer.length * 2, 8 * 1024));
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
  }

  #escape(data: Buffer, start: number, end: number): void {
    const target = this.#buffer;
    let used = this.#used;
    let i = start;
    while (i < end) {
      const byte = data[i] ?? 0;
      const kind = kinds[byte] ?? 0;
      if (kind === 0) {
        let run = i + 1;
        while (run < end && kinds[data[run] ?? 0] === 0) run += 1;
        if (run - i > LONG_RUN_BYTES) {
          used += data.copy(target, used, i, run);
          i = run;
        } else while (i < run) target[used++] = data[i++] ?? 0;
      } else if (kind === 1) {
        used += target.write('\\u00', used, 'latin1');
        target[used++] = hex[byte >> 4] ?? 0;
        target[used++] = hex[byte & 15] ?? 0;
        i += 1;
      } else if (kind === 2) {
        const length = utf8Length(data, i, end);
        used = writeBeyondAscii(target, used, data, i, length);
        i += Math.max(length, 1);
      } else {
        target[used++] = 0x5c;
        target[used++] = kind;
        i += 1;
      }
    }
    this.#used = used;
  }
}

/** One character; broken bytes become `\ufffd`, and JavaScript's two line ends are escaped, as Go does. */
function writeBeyondAscii(target: Buffer, at: number, data: Buffer, from: number, length: number): number {
  if (length === 0) return at + target.write('\\ufffd', at, 'latin1');
  const last = data[from + 2] ?? 0;
  if (length === 3 && data[from] === 0xe2 && data[from + 1] === 0x80 && (last === 0xa8 || last === 0xa9)) {
    return at + target.write(last === 0xa8 ? '\\u2028' : '\\u2029', at, 'latin1');
  }
  for (let i = 0; i < length; i++) target[at + i] = data[from + i] ?? 0;
  return at + length;
}
