/** Go's zero time as `encoding/json` writes it; Docker's "never" in every timestamp field. */
export const ZERO_TIME = '0001-01-01T00:00:00Z';

const NS_PER_SECOND = 1_000_000_000n;

/** Formats nanoseconds since the epoch as Go's `time.RFC3339Nano` in UTC: trailing zeros of the fraction dropped. */
export function formatRfc3339Nano(ns: bigint): string {
  const fixed = formatRfc3339NanoFixed(ns);
  return fixed.replace(/\.?0+Z$/, 'Z');
}

/** As `formatRfc3339Nano`, always with nine digits: the form of log timestamps. */
export function formatRfc3339NanoFixed(ns: bigint): string {
  let seconds = ns / NS_PER_SECOND;
  let fraction = ns % NS_PER_SECOND;
  if (fraction < 0n) {
    seconds -= 1n;
    fraction += NS_PER_SECOND;
  }
  const base = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${base}.${fraction.toString().padStart(9, '0')}Z`;
}

/** Parses RFC 3339 with up to nine fraction digits into nanoseconds since the epoch; `undefined` if it is none. */
export function parseRfc3339(text: string): bigint | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return undefined;
  const [, day, time, fraction = '', zone = 'Z'] = match;
  const ms = Date.parse(`${day}T${time}${zone.toUpperCase()}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
