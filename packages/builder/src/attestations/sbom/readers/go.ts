import { type FoundPackage, linesOf } from '../package.ts';

/** A module by its path; what a version of Go adds for modules older than modules is no part of it. */
export function goModule(path: string, version: string): readonly FoundPackage[] {
  const parts = path.split('/');
  const name = parts.at(-1) ?? '';
  if (name === '' || !version.startsWith('v')) return [];
  return [{ type: 'golang', namespace: parts.slice(0, -1).join('/'), name, version }];
}

/** `go.mod`: what it requires, in one line or in a block. */
export function readGoMod(text: string): readonly FoundPackage[] {
  return linesOf(text).flatMap((line) => {
    const match = /^(?:require\s+|\t)"?([^\s"()]+\.[^\s"()]*)"?\s+(v\S+)(?:\s+\/\/.*)?\s*$/.exec(line);
    return match === null ? [] : goModule(match[1] ?? '', match[2] ?? '');
  });
}

const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
const INLINE = 2;
const HEADER_BYTES = 32;
/** Two markers of 16 bytes enclose the text of modules. */
const MARKER_BYTES = 16;

/** Where a section of a little-endian 64-bit ELF file lies; `read` gives bytes of the file. */
export function findSection(
  read: (offset: number, length: number) => Buffer,
  name: string,
): { readonly offset: number; readonly size: number } | undefined {
  const head = read(0, 64);
  const isElf = head.length === 64 && head.toString('latin1', 0, 4) === '\x7fELF' && head[4] === 2 && head[5] === 1;
  if (!isElf) return undefined;
  const table = { at: Number(head.readBigUInt64LE(40)), size: head.readUInt16LE(58), count: head.readUInt16LE(60) };
  if (table.size !== 64 || table.count > 1024) return undefined;
  const sections = read(table.at, table.count * 64);
  const namesIndex = head.readUInt16LE(62);
  if (sections.length < table.count * 64 || namesIndex >= table.count) return undefined;
  const place = (index: number) => ({
    offset: Number(sections.readBigUInt64LE(index * 64 + 24)),
    size: Number(sections.readBigUInt64LE(index * 64 + 32)),
  });
  const names = place(namesIndex);
  const texts = read(names.offset, Math.min(names.size, 64 * 1024));
  for (let index = 0; index < table.count; index += 1) {
    const at = sections.readUInt32LE(index * 64);
    if (texts.toString('latin1', at, at + name.length + 1) === `${name}\0`) return place(index);
  }
  return undefined;
}

/** What a Go program says it was built of (Go 1.18 and later, `debug/buildinfo`): the bytes of its section `.go.buildinfo`. */
export function readGoBuildInfo(section: Buffer): readonly FoundPackage[] {
  const at = section.indexOf(MAGIC);
  if (at < 0 || ((section[at + 15] ?? 0) & INLINE) === 0) return [];
  const version = readText(section, at + HEADER_BYTES);
  const modules = version === undefined ? undefined : readText(section, version.end);
  if (version === undefined || modules === undefined) return [];
  const lines = modules.text.slice(MARKER_BYTES, -MARKER_BYTES).split('\n');
  const found = lines.flatMap((line, index) => {
    const [kind = '', path = '', moduleVersion = ''] = line.split('\t');
    // A module that is replaced is told again in the next line.
    if (kind !== 'dep' && kind !== '=>') return [];
    return lines[index + 1]?.startsWith('=>\t') === true ? [] : goModule(path, moduleVersion);
  });
  const release = /^go(\d[^\s]*)/.exec(version.text)?.[1];
  const standard = release === undefined ? [] : [{ type: 'golang', name: 'stdlib', version: release }];
  return [...standard, ...found];
}

/** A text behind its length, a varint. */
function readText(bytes: Buffer, from: number): { readonly text: string; readonly end: number } | undefined {
  let length = 0;
  let at = from;
  for (let shift = 0; shift < 28; shift += 7) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    at += 1;
    length |= (byte & 127) << shift;
    if (byte < 128) break;
  }
  return at + length > bytes.length ? undefined : { text: bytes.toString('latin1', at, at + length), end: at + length };
}
