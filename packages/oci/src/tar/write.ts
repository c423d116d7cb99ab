import { BLOCK, checksums, paddingOf } from './block.ts';
import { type ByteString, isAscii, isTextual } from './bytes.ts';
import type { TarEntryInit } from './entry.ts';
import { formatPaxRecord, formatPaxTime } from './pax.ts';

const flags: Readonly<Record<TarEntryInit['type'], string>> = {
  file: '0',
  link: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

const MAX_OCTAL_7 = 0o7777777;
const MAX_OCTAL_11 = 0o77777777777;

/** The end marker: two zero blocks. */
export const TAR_END: Buffer = Buffer.alloc(2 * BLOCK);
const zeros = Buffer.alloc(BLOCK);

/** The zeros that fill up the last block of a file of `sizeBytes`. */
export function tarPadding(sizeBytes: number): Buffer {
  return zeros.subarray(0, paddingOf(sizeBytes));
}

/**
 * The header of an entry, preceded by a PAX header where ustar cannot say it (long or non-ASCII names, big numbers,
 * fractions of a second, xattrs). The same entry always gives the same bytes. The content and `tarPadding` follow it.
 */
export function encodeTarHeader(entry: TarEntryInit): Buffer {
  const name = entry.type === 'directory' && !entry.name.endsWith('/') ? `${entry.name}/` : entry.name;
  const place = splitName(name);
  const pax = paxRecords(entry, name, place !== undefined);
  const body = [...pax].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => formatPaxRecord(key, value));
  const header = ustarBlock(entry, place ?? { prefix: '', name: name.slice(0, 100) });
  if (body.length === 0) return header;
  const text = Buffer.from(body.join(''), 'latin1');
  const paxHeader = ustarBlock(
    { name: paxName(name), type: 'file', mode: 0o644, sizeBytes: text.length },
    { prefix: '', name: paxName(name) },
    'x',
  );
  return Buffer.concat([paxHeader, text, tarPadding(text.length), header]);
}

/** Cuts a name into ustar's prefix and name; undefined when it does not fit or is not ASCII. */
function splitName(name: ByteString): { readonly prefix: string; readonly name: string } | undefined {
  if (!isAscii(name)) return undefined;
  if (name.length <= 100) return { prefix: '', name };
  if (name.length > 256) return undefined;
  const slash = name.lastIndexOf('/', Math.min(155, name.length - 2));
  if (slash <= 0 || name.length - slash - 1 > 100) return undefined;
  return { prefix: name.slice(0, slash), name: name.slice(slash + 1) };
}

/** A harmless ASCII name for the PAX header itself, seen only by readers that do not know PAX. */
function paxName(name: ByteString): string {
  const base = name.replace(/\/+$/, '').split('/').at(-1) ?? '';
  return `PaxHeaders.0/${base.replace(/[^\x20-\x7e]/g, '_').slice(0, 80)}`;
}

function paxRecords(entry: TarEntryInit, name: ByteString, nameFits: boolean): Map<string, ByteString> {
  const records = new Map<string, ByteString>();
  const names: ByteString[] = [];
  const text = (key: string, value: ByteString | undefined, fits: boolean): void => {
    if (value === undefined || value === '' || fits) return;
    records.set(key, value);
    names.push(value);
  };
  text('path', name, nameFits);
  text('linkpath', entry.linkName, isAscii(entry.linkName ?? '') && (entry.linkName ?? '').length <= 100);
  text('uname', entry.userName, isAscii(entry.userName ?? '') && (entry.userName ?? '').length <= 31);
  text('gname', entry.groupName, isAscii(entry.groupName ?? '') && (entry.groupName ?? '').length <= 31);
  // POSIX has PAX values in UTF-8; names that are none need to be announced as bytes.
  if (!names.every(isTextual)) records.set('hdrcharset', 'BINARY');
  if ((entry.sizeBytes ?? 0) > MAX_OCTAL_11) records.set('size', String(entry.sizeBytes));
  if ((entry.uid ?? 0) > MAX_OCTAL_7) records.set('uid', String(entry.uid));
  if ((entry.gid ?? 0) > MAX_OCTAL_7) records.set('gid', String(entry.gid));
  const mtimeNs = entry.mtimeNs ?? 0n;
  if (mtimeNs < 0n || mtimeNs % 1_000_000_000n !== 0n || mtimeNs / 1_000_000_000n > BigInt(MAX_OCTAL_11)) {
    records.set('mtime', formatPaxTime(mtimeNs));
  }
  for (const [key, value] of entry.xattrs ?? []) {
    records.set(`SCHILY.xattr.${key}`, Buffer.from(value).toString('latin1'));
  }
  return records;
}

function ustarBlock(entry: TarEntryInit, place: { prefix: string; name: string }, flag = flags[entry.type]): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (at: number, width: number, value: number): void => {
    const largest = 8 ** (width - 1) - 1;
    const shown = value >= 0 && value <= largest ? value : 0;
    block.write(shown.toString(8).padStart(width - 1, '0'), at, width - 1, 'latin1');
  };
  block.write(place.name, 0, 100, 'latin1');
  octal(100, 8, (entry.mode ?? 0) & 0o7777);
  octal(108, 8, entry.uid ?? 0);
  octal(116, 8, entry.gid ?? 0);
  octal(124, 12, entry.type === 'file' ? (entry.sizeBytes ?? 0) : 0);
  octal(136, 12, Number((entry.mtimeNs ?? 0n) / 1_000_000_000n));
  block[156] = flag.charCodeAt(0);
  block.write(entry.linkName ?? '', 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 8, 'latin1');
  block.write(entry.userName ?? '', 265, 31, 'latin1');
  block.write(entry.groupName ?? '', 297, 31, 'latin1');
  octal(329, 8, entry.deviceMajor ?? 0);
  octal(337, 8, entry.deviceMinor ?? 0);
  block.write(place.prefix, 345, 155, 'latin1');
  block.write(`${checksums(block).unsigned.toString(8).padStart(6, '0')}\0 `, 148, 8, 'latin1');
  return block;
}
