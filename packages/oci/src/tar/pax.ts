import { brokenArchive } from './block.ts';
import type { ByteString } from './bytes.ts';

/**
 * Parses the records of a PAX extended header (POSIX.1-2024, pax, "pax Extended Header": `LENGTH KEY=VALUE\n`).
 * Keys may repeat (GNU.sparse.offset), so pairs come back in order. `offset` is for messages. Throws `data-loss`.
 */
export function parsePaxRecords(body: ByteString, offset: number): [key: ByteString, value: ByteString][] {
  const records: [string, string][] = [];
  let at = 0;
  while (at < body.length) {
    const space = body.indexOf(' ', at);
    const digits = space < 0 ? '' : body.slice(at, space);
    if (!/^\d{1,10}$/.test(digits)) throw brokenArchive('a PAX record has no length', offset);
    const end = at + Number(digits);
    const equals = body.indexOf('=', space);
    if (end > body.length || end <= space || body[end - 1] !== '\n' || equals < 0 || equals >= end) {
      throw brokenArchive('a PAX record does not end where it says', offset);
    }
    const key = body.slice(space + 1, equals);
    if (key === '') throw brokenArchive('a PAX record has no key', offset);
    records.push([key, body.slice(equals + 1, end - 1)]);
    at = end;
    // Some writers fill the last block of the body with NULs and count them in.
    if (body[at] === '\0') break;
  }
  return records;
}

/** One PAX record; its length counts its own digits. */
export function formatPaxRecord(key: ByteString, value: ByteString): ByteString {
  const rest = key.length + value.length + 3;
  let length = rest + String(rest).length;
  if (String(length).length !== String(rest).length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}

/** A decimal integer of a PAX record; undefined when it is none or is beyond 2^53. */
export function paxInteger(value: ByteString): number | undefined {
  if (!/^-?\d{1,16}$/.test(value)) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

/** Seconds with a decimal fraction, as nanoseconds; what is finer is cut off. Undefined when it is no such number. */
export function paxTimeNs(value: ByteString): bigint | undefined {
  const match = /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(value);
  if (!match) return undefined;
  const [, sign, seconds = '0', fraction = ''] = match;
  const ns = BigInt(seconds) * 1_000_000_000n + BigInt(fraction.slice(0, 9).padEnd(9, '0'));
  return sign === '-' ? -ns : ns;
}

/** The shortest exact form of a time for a PAX record. */
export function formatPaxTime(ns: bigint): string {
  const absolute = ns < 0n ? -ns : ns;
  const fraction = (absolute % 1_000_000_000n).toString().padStart(9, '0').replace(/0+$/, '');
  const seconds = (absolute / 1_000_000_000n).toString();
  return `${ns < 0n ? '-' : ''}${seconds}${fraction === '' ? '' : `.${fraction}`}`;
}

const SCHILY = 'SCHILY.xattr.';
const LIBARCHIVE = 'LIBARCHIVE.xattr.';

/** Collects the extended attributes among PAX records; star's plain form wins over libarchive's encoded one. */
export function paxXattrs(records: ReadonlyMap<string, ByteString>): Map<string, Buffer> {
  const xattrs = new Map<string, Buffer>();
  for (const [key, value] of records) {
    if (key.startsWith(LIBARCHIVE)) {
      const name = decodePercent(key.slice(LIBARCHIVE.length));
      if (!xattrs.has(name)) xattrs.set(name, Buffer.from(value, 'base64'));
    } else if (key.startsWith(SCHILY)) {
      xattrs.set(key.slice(SCHILY.length), Buffer.from(value, 'latin1'));
    }
  }
  return xattrs;
}

function decodePercent(name: string): string {
  return name.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
