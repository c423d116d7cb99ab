import { WharfError } from './errors.ts';
import { formatGeneral } from './go-float.ts';
import { parseGoFloat } from './go-numbers.ts';

const binary: Readonly<Record<string, number>> = { '': 0, b: 0, k: 1, m: 2, g: 3, t: 4, p: 5 };

/**
 * Parses a size as `docker run --memory` takes it: a decimal number and an optional unit of 1024 steps
 * (`b k kb kib m mb mib …`, any case). Returns bytes, fractions cut. Throws `invalid-argument` in the words of docker's
 * go-units (`invalid size: 'x'`).
 */
export function parseBytes(text: string): number {
  return parse(text, 1024);
}

/** As `parseBytes` with steps of 1000, for disk sizes (`1kB` = 1000); units with an `i` stay 1024. */
export function parseDecimalBytes(text: string): number {
  return parse(text, 1000);
}

/** The order of the checks is docker's, because its words are. */
function parse(text: string, base: number): number {
  const [, number = '', suffix = ''] = /^(.*[\d. ])?(.*)$/s.exec(text) ?? [];
  if (number === '') throw new WharfError('invalid-argument', `invalid size: '${text}'`);
  const value = parseGoFloat(number.replace(/ $/, ''));
  if (value < 0) throw new WharfError('invalid-argument', `invalid size: '${text}'`);
  const unit = /^(?:([kmgtp])(i?)b?|b)?$/i.exec(suffix);
  if (unit === null || /^[kmgtp]i$/i.test(suffix)) {
    throw new WharfError('invalid-argument', `invalid suffix: '${suffix.length > 3 ? suffix : suffix.toLowerCase()}'`);
  }
  const [, letter = '', binaryMark = ''] = unit;
  const bytes = Math.trunc(value * (binaryMark === '' ? base : 1024) ** (binary[letter.toLowerCase()] ?? 0));
  if (!Number.isSafeInteger(bytes)) throw new WharfError('invalid-argument', `invalid size: '${text}'`);
  return bytes;
}

/** Formats bytes with decimal units and four significant digits, as docker does: `1.234MB`. Lists of images have three. */
export function formatBytes(bytes: number, precision = 4): string {
  return format(bytes, { base: 1000, units: ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'], precision });
}

/** Formats bytes with binary units and four significant digits, as `docker stats` does: `1.205MiB`. */
export function formatBinaryBytes(bytes: number, precision = 4): string {
  return format(bytes, { base: 1024, units: ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB', 'ZiB', 'YiB'], precision });
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
  return `${formatGeneral(value, how.precision)}${how.units[index] ?? ''}`;
}
