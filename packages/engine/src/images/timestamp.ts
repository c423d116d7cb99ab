import { parseGoDuration, parseRfc3339, WharfError } from '@wharf/kit';

/**
 * Reads a point in time as Docker's `until` filters take it: a Go duration back from now, Unix seconds with a fraction, or
 * RFC 3339 with any of its tail left out (then in local time). In nanoseconds since the epoch. Throws `invalid-argument`.
 */
export function parseTimestamp(text: string, nowNs: bigint, filter: string): bigint {
  const unix = /^(-?\d+)(?:\.(\d{1,9})\d*)?$/.exec(text);
  if (unix) {
    const [, seconds = '0', fraction = ''] = unix;
    return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
  }
  const exact = parseRfc3339(text);
  if (exact !== undefined) return exact;
  if (/^\d{4}-\d\d-\d\d/.test(text)) {
    const local = /^\d{4}-\d\d-\d\d$/.test(text)
      ? `${text}T00:00:00`
      : text.replace(/^(.{10})[Tt ](\d\d)$/, '$1T$2:00');
    const ms = Date.parse(local);
    if (!Number.isNaN(ms)) return BigInt(ms) * 1_000_000n;
  }
  try {
    return nowNs - parseGoDuration(text);
  } catch (cause) {
    throw new WharfError(
      'invalid-argument',
      `invalid value for '${filter}' filter: failed to parse value as time or duration: ${JSON.stringify(text)}`,
      { cause },
    );
  }
}
