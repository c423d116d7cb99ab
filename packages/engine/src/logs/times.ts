import { formatRfc3339NanoFixed, parseRfc3339 } from '@wharf/kit';

const ZERO = 0x30;
const UPPER_Z = 0x5a;
const PLUS = 0x2b;
/** `2026-11-21T01:33:51` */
const SECONDS_BYTES = 19;
/** With a point and nine digits. */
export const FIXED_TIME_BYTES = 30;

/** True when the text at those positions is UTC: `…Z` or `…+00:00`. */
function isUtc(text: Buffer, start: number, end: number): boolean {
  if (text[end - 1] === UPPER_Z) return true;
  return (
    text[end - 6] === PLUS &&
    text[end - 5] === ZERO &&
    text[end - 4] === ZERO &&
    text[end - 2] === ZERO &&
    text[end - 1] === ZERO &&
    end - start > SECONDS_BYTES
  );
}

function fractionEnd(text: Buffer, start: number, end: number): number {
  return text[end - 1] === UPPER_Z ? end - 1 : Math.max(end - 6, start + SECONDS_BYTES);
}

/** The text as UTC with nine digits, the form of log timestamps: 30 bytes at `at` of `target`. */
export function writeFixedTime(target: Buffer, at: number, text: Buffer, start: number, end: number): void {
  if (!isUtc(text, start, end)) {
    const ns = parseRfc3339(text.toString('latin1', start, end));
    target.write(formatRfc3339NanoFixed(ns ?? 0n), at, 'latin1');
    return;
  }
  const last = fractionEnd(text, start, end);
  const length = last - start;
  for (let i = 0; i < length; i++) target[at + i] = text[start + i] ?? ZERO;
  if (length === SECONDS_BYTES) target[at + length] = 0x2e;
  for (let i = Math.max(length, SECONDS_BYTES + 1); i < FIXED_TIME_BYTES - 1; i++) target[at + i] = ZERO;
  target[at + FIXED_TIME_BYTES - 1] = UPPER_Z;
}

/** Nanoseconds since the epoch; 0 for a text that is no time. */
export function readTimeNs(text: Buffer, start: number, end: number): bigint {
  return parseRfc3339(text.toString('latin1', start, end)) ?? 0n;
}

/** Compares a record's time with a bound without making numbers of it: both are put into the fixed form. */
export class TimeBound {
  readonly #bound: Buffer;
  readonly #scratch = Buffer.alloc(FIXED_TIME_BYTES);

  constructor(ns: bigint) {
    this.#bound = Buffer.from(formatRfc3339NanoFixed(ns), 'latin1');
  }

  /** Negative when the time is before the bound, 0 when equal, positive when after. */
  compare(text: Buffer, start: number, end: number): number {
    writeFixedTime(this.#scratch, 0, text, start, end);
    for (let i = 0; i < FIXED_TIME_BYTES; i++) {
      const difference = (this.#scratch[i] ?? 0) - (this.#bound[i] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  }
}

/** Writes the text as Go's RFC3339Nano in UTC (zeros at the end dropped) and returns the position after it. */
export function writeShortTime(target: Buffer, at: number, text: Buffer, start: number, end: number): number {
  writeFixedTime(target, at, text, start, end);
  let last = at + FIXED_TIME_BYTES - 1;
  while (target[last - 1] === ZERO) last -= 1;
  if (target[last - 1] === 0x2e) last -= 1;
  target[last] = UPPER_Z;
  return last + 1;
}
