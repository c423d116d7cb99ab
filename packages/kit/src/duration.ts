import { WharfError } from './errors.ts';

const unitNs: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const largest = 2n ** 63n - 1n;

/**
 * Parses a Go duration (`1h15m30.918s`, `-1.5h`, `300ms`, `0`) exactly, in nanoseconds.
 * Throws `invalid-argument` in Go's words (`time: invalid duration "x"`).
 */
export function parseGoDuration(text: string): bigint {
  const negative = text.startsWith('-');
  const body = /^[+-]/.test(text) ? text.slice(1) : text;
  if (body === '0') return 0n;
  if (body === '') throw new WharfError('invalid-argument', `time: invalid duration ${JSON.stringify(text)}`);
  const part = /(\d*)(?:\.(\d*))?([^\d.]*)/y;
  let total = 0n;
  while (part.lastIndex < body.length) {
    const [, whole = '', fraction = '', unit = ''] = part.exec(body) ?? [];
    if (whole === '' && fraction === '')
      throw new WharfError('invalid-argument', `time: invalid duration ${JSON.stringify(text)}`);
    if (unit === '') throw new WharfError('invalid-argument', `time: missing unit in duration ${JSON.stringify(text)}`);
    const scale = Object.hasOwn(unitNs, unit) ? unitNs[unit] : undefined;
    if (scale === undefined) {
      throw new WharfError(
        'invalid-argument',
        `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`,
      );
    }
    if (whole.length > 19) throw new WharfError('invalid-argument', `time: invalid duration ${JSON.stringify(text)}`);
    const digits = fraction.slice(0, 18);
    total +=
      BigInt(whole || '0') * scale + (digits === '' ? 0n : (BigInt(digits) * scale) / 10n ** BigInt(digits.length));
    if (total > largest + (negative ? 1n : 0n))
      throw new WharfError('invalid-argument', `time: invalid duration ${JSON.stringify(text)}`);
  }
  return negative ? -total : total;
}

/** Formats nanoseconds as Go's `Duration.String()`: `1h15m30.918s`, `1.5ms`, `0s`. */
export function formatGoDuration(ns: bigint): string {
  if (ns === 0n) return '0s';
  const sign = ns < 0n ? '-' : '';
  const value = ns < 0n ? -ns : ns;
  if (value < 1_000n) return `${sign}${value}ns`;
  if (value < 1_000_000n) return `${sign}${decimal(value, 1_000n)}µs`;
  if (value < 1_000_000_000n) return `${sign}${decimal(value, 1_000_000n)}ms`;
  const minutes = value / 60_000_000_000n;
  const seconds = `${decimal(value % 60_000_000_000n, 1_000_000_000n)}s`;
  if (minutes === 0n) return sign + seconds;
  if (minutes < 60n) return `${sign}${minutes}m${seconds}`;
  return `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`;
}

function decimal(value: bigint, unit: bigint): string {
  const places = unit.toString().length - 1;
  const fraction = (value % unit).toString().padStart(places, '0').replace(/0+$/, '');
  return fraction === '' ? `${value / unit}` : `${value / unit}.${fraction}`;
}
