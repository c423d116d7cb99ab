import { WharfError } from './errors.ts';

export interface GoInteger {
  /** What the message names: `Atoi`, `ParseInt` or `ParseUint`. */
  readonly as?: 'Atoi' | 'ParseInt' | 'ParseUint';
  /** Bits of the result, 64 by default. */
  readonly bits?: 8 | 16 | 32 | 64;
  /** 0 takes Go's prefixes (`0x`, `0o`, `0b`, `0`) and underscores between digits. */
  readonly base?: 0 | 8 | 10;
  /** Leaves out "strconv.X: parsing …:", as callers do that name the value themselves. */
  readonly bare?: boolean;
}

const DIGITS: Readonly<Record<number, RegExp>> = { 2: /^[01]+$/, 8: /^[0-7]+$/, 10: /^\d+$/, 16: /^[\da-f]+$/i };

/** An integer as Go's strconv reads it. Throws `invalid-argument` in strconv's words. */
export function parseGoInteger(text: string, how: GoInteger = {}): bigint {
  const { as = 'ParseInt', bits = 64, base = 10, bare = false } = how;
  const fail = (what: string): WharfError =>
    new WharfError('invalid-argument', bare ? what : `strconv.${as}: parsing ${JSON.stringify(text)}: ${what}`);
  const signed = as !== 'ParseUint';
  const sign = signed && /^[+-]/.test(text) ? text.slice(0, 1) : '';
  const { radix, digits } =
    base === 0 ? prefixed(text.slice(sign.length)) : { radix: base, digits: text.slice(sign.length) };
  if (DIGITS[radix]?.test(digits) !== true) throw fail('invalid syntax');
  const prefix: Readonly<Record<number, string>> = { 2: '0b', 8: '0o', 16: '0x' };
  const value = BigInt(`${prefix[radix] ?? ''}${digits}`) * (sign === '-' ? -1n : 1n);
  const top = 1n << BigInt(signed ? bits - 1 : bits);
  if (value >= top || value < (signed ? -top : 0n)) throw fail('value out of range');
  return value;
}

function prefixed(text: string): { readonly radix: number; readonly digits: string } {
  const match = /^0([xob]?)_?(.+)$/i.exec(text);
  const digits = (all: string): string => (/^_|__|_$/.test(all) ? all : all.replaceAll('_', ''));
  if (match === null) return { radix: 10, digits: digits(text) };
  const radixes: Readonly<Record<string, number>> = { x: 16, o: 8, b: 2, '': 8 };
  return { radix: radixes[(match[1] ?? '').toLowerCase()] ?? 10, digits: digits(match[2] ?? '') };
}

/** A number as Go's strconv.ParseFloat reads decimal ones. */
export function parseGoFloat(text: string): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    throw new WharfError('invalid-argument', `strconv.ParseFloat: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  return Number(text);
}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

/** A boolean as Go's strconv.ParseBool reads it. */
export function parseGoBoolean(text: string): boolean {
  if (TRUE.has(text)) return true;
  if (FALSE.has(text)) return false;
  throw new WharfError('invalid-argument', `strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}
