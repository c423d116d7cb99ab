import { parseGoDuration } from '@wharf/kit/duration';
import { WharfError } from '@wharf/kit/errors';

const NANOSECONDS = 1_000_000_000n;
const DATE = /^(\d{4}-\d\d-\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?)?(Z|[+-]\d\d:\d\d)?$/;

/**
 * A moment as the Engine API wants it, Unix seconds with nine digits behind the point, from what docker's clients take: a duration before
 * now (`42m`), a date with less or more of its time (local where it names no zone), or Unix seconds. Throws `invalid-argument`.
 */
export function momentOf(text: string, given: { readonly flag: string; readonly nowMs: number }): string {
  const ago = durationOf(text);
  if (ago !== undefined) {
    const at = BigInt(Math.trunc(given.nowMs)) * 1_000_000n - ago;
    return `${at / NANOSECONDS}.${String(at % NANOSECONDS).padStart(9, '0')}`;
  }
  const date = DATE.exec(text);
  if (date !== null) {
    const [, day = '', hour = '00', minute = '00', second = '00', fraction = '', zone = ''] = date;
    const ms = Date.parse(`${day}T${hour}:${minute}:${second}${zone}`);
    if (!Number.isNaN(ms)) return `${Math.floor(ms / 1000)}.${fraction.padEnd(9, '0')}`;
  }
  if (/^-?\d+(?:\.\d{1,9})?$/.test(text)) return text;
  throw new WharfError(
    'invalid-argument',
    `invalid value for "${given.flag}": failed to parse value as time or duration: ${JSON.stringify(text)}`,
    { hint: 'Give a duration before now (42m), a date (2026-01-02T15:04:05Z) or Unix seconds.' },
  );
}

function durationOf(text: string): bigint | undefined {
  try {
    return parseGoDuration(text);
  } catch {
    // It is a date then, or nothing.
    return undefined;
  }
}
