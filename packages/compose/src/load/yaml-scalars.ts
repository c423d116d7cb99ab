import { Float, Timestamp, type Value } from './values.ts';

const NULLS = new Set(['', '~', 'null', 'Null', 'NULL']);
const TRUES = new Set(['true', 'True', 'TRUE']);
const FALSES = new Set(['false', 'False', 'FALSE']);
const INFINITIES = new Set(['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF']);
const MINUS_INFINITIES = new Set(['-.inf', '-.Inf', '-.INF']);
const NANS = new Set(['.nan', '.NaN', '.NAN']);
const FLOAT = /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/;
const INTEGER = /^[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)$/;
const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt]| )(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?(Z|[-+]\d\d:\d\d)?)?$/;
const INT64 = { least: -(2n ** 63n), most: 2n ** 64n - 1n };

/**
 * The value of a plain scalar without a tag, as go-yaml v3 resolves it for `any`: YAML 1.2's core words, numbers of 1.2 and
 * 1.1 (octal `0777` included), timestamps. `yes` and `on` are strings.
 */
export function resolvePlain(text: string): Value {
  const first = text.charCodeAt(0);
  if (text === '') return null;
  // Letters that begin none of the words, by far the most.
  if (first > 57 && first !== 126 && !'tTfFnN'.includes(text.charAt(0))) return text;
  if (NULLS.has(text)) return null;
  if (TRUES.has(text)) return true;
  if (FALSES.has(text)) return false;
  if (first === 46 /* . */ || first === 43 || first === 45 || (first >= 48 && first <= 57)) return resolveNumber(text);
  return text;
}

function resolveNumber(text: string): Value {
  if (INFINITIES.has(text)) return new Float(Infinity);
  if (MINUS_INFINITIES.has(text)) return new Float(-Infinity);
  if (NANS.has(text)) return new Float(NaN);
  const timestamp = resolveTimestamp(text);
  if (timestamp !== undefined) return timestamp;
  const digits = text.includes('_') ? text.replaceAll('_', '') : text;
  const integer = text.startsWith('.') ? undefined : parseInteger(digits);
  if (integer !== undefined) return integer;
  const float = FLOAT.test(digits) ? Number(digits) : NaN;
  // What no float can hold is a text.
  return Number.isFinite(float) ? new Float(float) : text;
}

/** Go's `ParseInt(text, 0, 64)`, then `ParseUint`; undefined for what is no such integer. */
export function parseInteger(text: string): number | bigint | undefined {
  if (!INTEGER.test(text)) return undefined;
  const negative = text.startsWith('-');
  const digits = /^[-+]/.test(text) ? text.slice(1) : text;
  const magnitude = /^0[0-7]+$/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits.toLowerCase());
  const value = negative ? -magnitude : magnitude;
  if (value < INT64.least || value > INT64.most) return undefined;
  return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

function resolveTimestamp(text: string): Timestamp | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', separator, hour = '0', minute = '0', second = '0', fraction, zone] = match;
  // The forms with T carry a zone, the one with a space none.
  if (separator !== undefined && (separator === ' ') !== (zone === undefined)) return undefined;
  const days = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  if (Number(month) < 1 || Number(month) > 12 || Number(day) < 1 || Number(day) > days) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined;
  const two = (part: string): string => part.padStart(2, '0');
  const rest = fraction === undefined ? '' : fraction.slice(0, 10).replace(/\.?0+$/, '');
  const offset = zone === '+00:00' || zone === '-00:00' || zone === undefined ? 'Z' : zone;
  return new Timestamp(`${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}:${two(second)}${rest}${offset}`);
}
