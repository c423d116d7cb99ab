import { WharfError } from './errors.ts';

const binary: Readonly<Record<string, number>> = { '': 0, b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Parses a size as `docker run --memory` takes it: a decimal number and an optional unit of 1024 steps
 * (`b k kb kib m mb mib …`, any case). Returns bytes, fractions cut. Throws `invalid-argument` (`invalid size: 'x'`).
 */
export function parseBytes(text: string): number {
  return parse(text, 1024);
}

/** As `parseBytes` with steps of 1000, for disk sizes (`1kB` = 1000); units with an `i` stay 1024. */
export function parseDecimalBytes(text: string): number {
  return parse(text, 1000);
}

function parse(text: string, base: number): number {
  const match = /^(\d+(?:\.\d+)?) ?(?:([kmgtp])(i?)b?|b)?$/i.exec(text.trim());
  if (match === null) throw new WharfError('invalid-argument', `invalid size: '${text}'`);
  const [, digits = '0', unit = '', binaryMark = ''] = match;
  const value = Number(digits) * (binaryMark === '' ? base : 1024) ** (binary[unit.toLowerCase()] ?? 0);
  if (!Number.isSafeInteger(Math.trunc(value))) throw new WharfError('invalid-argument', `invalid size: '${text}'`);
  return Math.trunc(value);
}

/** Formats bytes with decimal units and four significant digits, as `docker images` does: `1.234MB`. */
export function formatBytes(bytes: number, precision = 4): string {
  return format(bytes, { base: 1000, units: ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB'], precision });
}

/** Formats bytes with binary units and four significant digits, as `docker stats` does: `1.205MiB`. */
export function formatBinaryBytes(bytes: number, precision = 4): string {
  return format(bytes, { base: 1024, units: ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'], precision });
}

function format(
  bytes: number,
  how: { readonly base: number; readonly units: readonly string[]; readonly precision: number },
): string {
  let value = bytes;
  let index = 0;
  while (value >= how.base && index < how.units.length - 1) {
    value /= how.base;
    index += 1;
  }
  // Go's %.Ng drops trailing zeros, and goes to exponents only when the integer part has more than N digits.
  const digits =
    value >= 10 ** how.precision ? String(Math.round(value)) : String(Number(value.toPrecision(how.precision)));
  return `${digits}${how.units[index] ?? ''}`;
}
