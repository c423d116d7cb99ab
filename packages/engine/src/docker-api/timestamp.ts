import { parseGoDuration, parseRfc3339, WharfError } from '@wharf/kit';

/** The furthest second a bigint of nanoseconds in 64 bits reaches. */
const MAX_SECONDS = 9_223_372_036n;

function invalid(name: string, value: string, why: string): WharfError {
  return new WharfError('invalid-argument', `invalid value for '${name}': invalid timestamp "${value}": ${why}`);
}

/**
 * Parses `since` and `until`: Unix seconds with up to nine digits of fraction (more are cut), RFC 3339, or a Go duration, which is
 * that long before `nowNs`. No floating point is involved, so nanoseconds survive. `undefined` when absent or empty.
 * Throws `invalid-argument`.
 */
export function parseTimestamp(name: string, value: string | undefined, nowNs: bigint): bigint | undefined {
  if (value === undefined || value === '') return undefined;
  const unix = /^([+-]?\d{1,19})(?:\.(\d{0,20}))?$/.exec(value);
  if (unix) {
    const seconds = BigInt(unix[1]?.replace('+', '') ?? '0');
    if (seconds > MAX_SECONDS || seconds < -MAX_SECONDS) throw invalid(name, value, 'value out of range');
    return seconds * 1_000_000_000n + BigInt((unix[2] ?? '').slice(0, 9).padEnd(9, '0'));
  }
  const time = parseRfc3339(value);
  if (time !== undefined) return time;
  try {
    return nowNs - parseGoDuration(value);
  } catch (cause) {
    throw new WharfError(
      'invalid-argument',
      `invalid value for '${name}': invalid timestamp "${value}": invalid seconds "${value.split('.')[0]}": invalid syntax`,
      { cause },
    );
  }
}
