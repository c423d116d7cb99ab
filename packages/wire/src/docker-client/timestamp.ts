import { parseGoDuration } from '@wharf/kit/duration';
import { messageOf, WharfError } from '@wharf/kit/errors';

const NS_PER_SECOND = 1_000_000_000n;

/**
 * A point in time as requests name it (`since`, `until`), `SECONDS.NANOSECONDS` since 1970: from a duration before `nowMs`, a date or
 * RFC 3339 time, in the local zone where it names none, or such a number. Throws `invalid-argument` in the words of docker's client.
 */
export function toTimestamp(text: string, nowMs: number): string {
  const before = text === '0' ? undefined : durationOf(text);
  if (before !== undefined) {
    const at = BigInt(nowMs) * 1_000_000n - before;
    return String(at / NS_PER_SECOND - (at % NS_PER_SECOND < 0n ? 1n : 0n));
  }
  try {
    const ns = parseTime(text, nowMs);
    const seconds = (ns - (((ns % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND)) / NS_PER_SECOND;
    return `${seconds}.${String(ns - seconds * NS_PER_SECOND).padStart(9, '0')}`;
  } catch (error) {
    if (text.includes('-')) throw error;
    if (/^[+-]?\d{1,19}(?:\.[+-]?\d{1,19})?$/.test(text)) return text;
    throw new WharfError('invalid-argument', `failed to parse value as time or duration: ${JSON.stringify(text)}`);
  }
}

/** As `toTimestamp` for the value of a flag, which a complaint names; empty and `undefined` are no time. */
export function timestampOf(flag: string, text: string | undefined, nowMs: number = Date.now()): string | undefined {
  if (text === undefined || text === '') return undefined;
  try {
    return toTimestamp(text, nowMs);
  } catch (error) {
    throw new WharfError('invalid-argument', `invalid value for "${flag}": ${messageOf(error)}`, { cause: error });
  }
}

function durationOf(text: string): bigint | undefined {
  try {
    return parseGoDuration(text);
  } catch {
    return undefined;
  }
}

const DATE = '2006-01-02';

function parseTime(text: string, nowMs: number): bigint {
  const isLocal = !/[zZ+]/.test(text) && text.split('-').length !== 4;
  const layout = layoutOf(text, isLocal) + (isLocal ? '' : 'Z07:00');
  const found = readLayout(text, layout);
  const offset = isLocal ? -new Date(nowMs).getTimezoneOffset() * 60 : found.offset;
  const { year, month, day, hour, minute, second, nanosecond } = found;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return BigInt(date.getTime() / 1000 - offset) * NS_PER_SECOND + BigInt(nanosecond);
}

/** How much of a time is written. */
function layoutOf(text: string, isLocal: boolean): string {
  if (text.includes('.')) return `${DATE}T15:04:05${isLocal ? '.999999999' : ''}`;
  if (!text.includes('T')) return DATE;
  const colons = text.split(':').length - 1 - (!isLocal && !/[zZ]/.test(text) && text.includes(':') ? 1 : 0);
  return `${DATE}T15${colons > 0 ? ':04' : ''}${colons > 1 ? ':05' : ''}`;
}

interface Parts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  nanosecond: number;
  /** Seconds east of Greenwich. */
  offset: number;
}

const ELEMENTS: readonly (readonly [
  element: string,
  pattern: RegExp,
  part: keyof Parts,
  least: number,
  most: number,
])[] = [
  ['2006', /^\d{4}/, 'year', 0, 9999],
  ['01', /^\d{2}/, 'month', 1, 12],
  ['02', /^\d{2}/, 'day', 0, 99],
  ['15', /^\d{1,2}/, 'hour', 0, 23],
  ['04', /^\d{2}/, 'minute', 0, 59],
  ['05', /^\d{2}/, 'second', 0, 59],
];

/** Reads a time by a layout of Go's package time, and complains as that does. */
function readLayout(text: string, layout: string): Parts {
  const parts: Parts = { year: 1, month: 1, day: 1, hour: 0, minute: 0, second: 0, nanosecond: 0, offset: 0 };
  let [rest, left] = [text, layout];
  const fail = (element: string, value = rest): WharfError =>
    fault(
      `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(value)} as ${JSON.stringify(element)}`,
    );
  const outOfRange = (what: string): WharfError => fault(`parsing time ${JSON.stringify(text)}: ${what} out of range`);
  while (left !== '') {
    const known = ELEMENTS.find(([element]) => left.startsWith(element));
    if (known !== undefined) {
      const [element, pattern, part, least, most] = known;
      const digits = pattern.exec(rest)?.[0];
      if (digits === undefined) throw fail(element);
      parts[part] = Number(digits);
      if (parts[part] < least || parts[part] > most) throw outOfRange(part);
      rest = rest.slice(digits.length);
      left = left.slice(element.length);
      if (part === 'second') rest = readFraction(rest, parts);
      continue;
    }
    if (left.startsWith('.')) {
      left = '';
      continue;
    }
    if (left === 'Z07:00') {
      const zone = /^(?:Z|([+-])(\d{2}):(\d{2}))/.exec(rest);
      if (zone === null) throw fail(left);
      const [all, sign, hours = '0', minutes = '0'] = zone;
      parts.offset = (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
      rest = rest.slice(all.length);
      left = '';
      continue;
    }
    const literal = left.charAt(0);
    if (!rest.startsWith(literal)) throw fail(literal);
    [rest, left] = [rest.slice(1), left.slice(1)];
  }
  if (rest !== '') throw fault(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`);
  if (parts.day < 1 || parts.day > new Date(Date.UTC(parts.year, parts.month, 0)).getUTCDate()) throw outOfRange('day');
  return parts;
}

/** A fraction may follow the seconds whether or not the layout has one. */
function readFraction(rest: string, parts: Parts): string {
  const digits = /^[.,](\d+)/.exec(rest)?.[1];
  if (digits === undefined) return rest;
  parts.nanosecond = Number(digits.slice(0, 9).padEnd(9, '0'));
  return rest.slice(digits.length + 1);
}

function fault(message: string): WharfError {
  return new WharfError('invalid-argument', message);
}
