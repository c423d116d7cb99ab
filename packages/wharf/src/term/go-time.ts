import { zoneName } from './zone.ts';

const two = (value: number): string => String(value).padStart(2, '0');

/** A Unix time in seconds as Go's `time.Unix(…).String()`: `2026-11-21 10:00:00 +0100 CET`. */
export function goTimeFromUnix(seconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = -date.getTimezoneOffset();
  return `${wallClock(date, offset)} ${offsetText(offset)} ${zoneName(offset)}`;
}

/** A Unix time in seconds as RFC 3339 in local time: `2026-11-21T10:00:00+01:00`. */
export function rfc3339FromUnix(seconds: number): string {
  const date = new Date(seconds * 1000);
  const offset = -date.getTimezoneOffset();
  const zone = offset === 0 ? 'Z' : offsetText(offset).replace(/(\d\d)$/, ':$1');
  return `${wallClock(date, offset).replace(' ', 'T')}${zone}`;
}

/** A time of a JSON document (RFC 3339) as Go's `String()`: in the zone it was written in. */
export function goTimeFromJson(text: string): string {
  const match = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (match === null) return '0001-01-01 00:00:00 +0000 UTC';
  const [, day = '', clock = '', fraction = '', zone = 'Z'] = match;
  const parts = fraction.replace(/\.?0+$/, '');
  if (zone === 'Z') return `${day} ${clock}${parts} +0000 UTC`;
  const offset = zone.replace(':', '');
  const minutes = (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)));
  const isLocal = -new Date(text).getTimezoneOffset() === minutes;
  return `${day} ${clock}${parts} ${offset} ${isLocal ? zoneName(minutes) : offset}`;
}

function wallClock(date: Date, offsetMinutes: number): string {
  return new Date(date.getTime() + offsetMinutes * 60_000).toISOString().slice(0, 19).replace('T', ' ');
}

function offsetText(minutes: number): string {
  const absolute = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.trunc(absolute / 60))}${two(absolute % 60)}`;
}
