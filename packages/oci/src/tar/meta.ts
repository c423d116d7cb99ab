import { brokenArchive } from './block.ts';
import type { ByteString } from './bytes.ts';
import type { Extent, TarEntry, TarType } from './entry.ts';
import type { RawHeader } from './header.ts';
import { parsePaxRecords, paxInteger, paxTimeNs, paxXattrs } from './pax.ts';
import { parseSparseList } from './sparse.ts';

const none: ReadonlyMap<string, ByteString> = new Map();
const noXattrs: ReadonlyMap<string, Buffer> = new Map();

const types: Readonly<Record<string, TarType>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'link',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
  D: 'directory',
  S: 'file',
};

/** An entry together with how its bytes lie in the archive. */
export interface ResolvedEntry {
  readonly entry: TarEntry;
  /** Bytes of data behind the header. */
  readonly storedBytes: number;
  /** True when those bytes are the file's content, and not, say, a GNU directory listing. */
  readonly hasContent: boolean;
  /** How the sparse map comes: none, known already, or at the start of the data. */
  readonly sparse: 'none' | 'known' | 'in-data';
  readonly extents: readonly Extent[];
}

/** What extended headers and GNU long names say about the entry that follows them, and about all that follow. */
export class PendingMeta {
  #global: Map<string, ByteString> = new Map();
  #pax: Map<string, ByteString> | undefined;
  #longName: ByteString | undefined;
  #longLink: ByteString | undefined;

  /** True while something waits for its entry. */
  get isPending(): boolean {
    return this.#pax !== undefined || this.#longName !== undefined || this.#longLink !== undefined;
  }

  /** Takes the body of a header of type `x`, `X`, `g`, `L` or `K`. Throws `data-loss`. */
  take(flag: string, body: ByteString, offset: number): void {
    if (flag === 'L') this.#longName = untilNul(body);
    else if (flag === 'K') this.#longLink = untilNul(body);
    else if (flag === 'g') this.#global = collect(this.#global, parsePaxRecords(body, offset));
    else this.#pax = collect(new Map(), parsePaxRecords(body, offset));
  }

  /** Lays everything pending over a header. Throws `data-loss`. */
  resolve(raw: RawHeader, offset: number): ResolvedEntry {
    const pax = this.#merge();
    const longName = this.#longName;
    const longLink = this.#longLink;
    this.#pax = undefined;
    this.#longName = undefined;
    this.#longLink = undefined;
    const integer = (key: string, otherwise: number): number => {
      const text = pax.get(key);
      if (text === undefined || text === '') return otherwise;
      const value = paxInteger(text);
      if (value === undefined) throw brokenArchive(`the PAX record "${key}" is not a number`, offset);
      return value;
    };
    const name = longName ?? pax.get('GNU.sparse.name') ?? (pax.get('path') || raw.name);
    const stored = integer('size', raw.sizeBytes);
    if (stored < 0) throw brokenArchive('the PAX size is negative', offset);
    let type = types[raw.flag] ?? 'other';
    // V7 archives mark a directory by its name alone.
    if (type === 'file' && stored === 0 && name.endsWith('/')) type = 'directory';
    const hasContent = type === 'file' || type === 'other';
    const sparse =
      type === 'file' ? readSparse(raw, pax, offset) : { form: 'none' as const, extents: [], realSizeBytes: undefined };
    return {
      entry: {
        name,
        type,
        typeFlag: raw.flag,
        mode: raw.mode,
        uid: integer('uid', raw.uid),
        gid: integer('gid', raw.gid),
        userName: pax.get('uname') || raw.userName,
        groupName: pax.get('gname') || raw.groupName,
        sizeBytes: hasContent ? (sparse.realSizeBytes ?? stored) : 0,
        mtimeNs: readTime(pax, raw, offset),
        linkName: type === 'link' || type === 'symlink' ? (longLink ?? (pax.get('linkpath') || raw.linkName)) : '',
        deviceMajor: integer('SCHILY.devmajor', raw.deviceMajor),
        deviceMinor: integer('SCHILY.devminor', raw.deviceMinor),
        xattrs: pax.size === 0 ? noXattrs : paxXattrs(pax),
        pax,
      },
      storedBytes: hasContent || raw.flag === 'D' ? stored : 0,
      hasContent,
      sparse: sparse.form,
      extents: sparse.extents,
    };
  }

  #merge(): ReadonlyMap<string, ByteString> {
    if (this.#global.size === 0) return this.#pax ?? none;
    return this.#pax ? new Map([...this.#global, ...this.#pax]) : this.#global;
  }
}

function untilNul(body: ByteString): ByteString {
  const end = body.indexOf('\0');
  return end < 0 ? body : body.slice(0, end);
}

/**
 * Records into a map. An empty value takes a record back, except for xattrs, which may be empty. The repeated pairs of
 * sparse format 0.0 become the one list of 0.1.
 */
function collect(into: Map<string, ByteString>, records: readonly [string, string][]): Map<string, ByteString> {
  const map = new Map(into);
  const sparse: string[] = [];
  for (const [key, value] of records) {
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') sparse.push(value);
    else if (value === '' && !key.includes('.xattr.')) map.delete(key);
    else map.set(key, value);
  }
  if (sparse.length > 0) map.set('GNU.sparse.map', sparse.join(','));
  return map;
}

function readTime(pax: ReadonlyMap<string, ByteString>, raw: RawHeader, offset: number): bigint {
  const text = pax.get('mtime');
  if (text === undefined) return BigInt(raw.mtimeSeconds) * 1_000_000_000n;
  const ns = paxTimeNs(text);
  if (ns === undefined) throw brokenArchive('the PAX record "mtime" is not a time', offset);
  return ns;
}

function readSparse(
  raw: RawHeader,
  pax: ReadonlyMap<string, ByteString>,
  offset: number,
): { form: ResolvedEntry['sparse']; extents: Extent[]; realSizeBytes: number | undefined } {
  if (raw.sparse) return { form: 'known', extents: raw.sparse.extents, realSizeBytes: raw.sparse.realSizeBytes };
  const inData = pax.get('GNU.sparse.major') === '1' && pax.get('GNU.sparse.minor') === '0';
  const list = pax.get('GNU.sparse.map');
  if (!inData && list === undefined) return { form: 'none', extents: [], realSizeBytes: undefined };
  const size = paxInteger(pax.get('GNU.sparse.realsize') ?? pax.get('GNU.sparse.size') ?? '');
  if (size === undefined || size < 0) throw brokenArchive('a sparse file has no size', offset);
  if (inData) return { form: 'in-data', extents: [], realSizeBytes: size };
  return { form: 'known', extents: parseSparseList(list ?? '', offset), realSizeBytes: size };
}
