import { formatGoDuration } from '@wharf/kit/duration';

const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
  w: 604_800_000_000_000n,
};
const MOST = 2n ** 63n - 1n;

/**
 * A duration of a Compose file (`1m30s`, `2d`, `1w`: Go's, with days and weeks) in Go's spelling.
 * Throws an `Error` in Go's words (`time: unknown unit "x" in duration "5x"`).
 */
export function settleDuration(text: string): string {
  return formatGoDuration(parseDuration(text));
}

/** The same in nanoseconds. */
export function parseDuration(text: string): bigint {
  const negative = text.startsWith('-');
  let rest = text.replace(/^[-+]/, '');
  if (rest === '0') return 0n;
  if (rest === '') throw new Error(`time: invalid duration ${JSON.stringify(text)}`);
  let total = 0n;
  while (rest !== '') {
    const match = /^(\d*)(?:\.(\d*))?([^\d.]*)/.exec(rest);
    const [whole, digits = '', fraction = '', unit = ''] = match ?? [''];
    if (digits === '' && fraction === '') throw new Error(`time: invalid duration ${JSON.stringify(text)}`);
    if (unit === '') throw new Error(`time: missing unit in duration ${JSON.stringify(text)}`);
    const scale = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
    if (scale === undefined)
      throw new Error(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`);
    total += BigInt(digits === '' ? 0 : digits) * scale;
    if (fraction !== '')
      total += (BigInt(fraction.slice(0, 18)) * scale) / 10n ** BigInt(Math.min(18, fraction.length));
    if (total > MOST) throw new Error(`time: invalid duration ${JSON.stringify(text)}`);
    rest = rest.slice(whole.length);
  }
  return negative ? -total : total;
}
