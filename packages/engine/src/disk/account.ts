/** What takes room below the data root. */
export type PartKind =
  | 'image-content'
  | 'image-layers'
  | 'containers-written'
  | 'containers-logs-and-files'
  | 'image-mounts'
  | 'volumes'
  | 'unfinished'
  | 'being-deleted'
  | 'books'
  | 'directories'
  | 'builder'
  | 'registry'
  | 'unaccounted';

export interface Part {
  readonly path: string;
  readonly kind: PartKind;
  readonly bytes: number;
  /** Whose it is: a container, a volume, a layer. */
  readonly owner?: string | undefined;
}

/** Who owns what, as the rooms' books have it. */
export interface Books {
  /** By directory name below `snapshots/`. */
  readonly snapshots: ReadonlyMap<string, { readonly key: string; readonly kind: 'active' | 'committed' }>;
  readonly volumes: ReadonlySet<string>;
  readonly containers: ReadonlySet<string>;
}

export interface Account {
  readonly totalBytes: number;
  readonly byKind: Readonly<Partial<Record<PartKind, number>>>;
  /** The largest first. */
  readonly parts: readonly Part[];
}

/** Files and directories of the daemon's own, by the beginning of their name. */
const OWN: readonly (readonly [prefix: string, kind: PartKind])[] = [
  ['wharf.db', 'books'],
  ['log-keeper', 'books'],
  ['tmp', 'unfinished'],
  ['builder', 'builder'],
  ['registry', 'registry'],
];

/** Puts an owner to every part that was measured; those nobody owns are `unaccounted`. Their sum is all there is. Pure. */
export function accountFor(measured: Readonly<Record<string, number>>, books: Books): Account {
  const parts: Part[] = Object.entries(measured).map(([path, bytes]) => ({ path, bytes, ...ownerOf(path, books) }));
  const byKind: Partial<Record<PartKind, number>> = {};
  for (const { kind, bytes } of parts) byKind[kind] = (byKind[kind] ?? 0) + bytes;
  return {
    totalBytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
    byKind,
    parts: parts.sort((a, b) => b.bytes - a.bytes || (a.path < b.path ? -1 : 1)),
  };
}

function ownerOf(path: string, books: Books): Pick<Part, 'kind' | 'owner'> {
  if (path === '') return { kind: 'directories' };
  const [room = '', entry = ''] = path.split('/', 2);
  switch (entry === '' ? '' : room) {
    case 'content':
      return { kind: entry === 'blobs' ? 'image-content' : entry === 'ingest' ? 'unfinished' : 'unaccounted' };
    case 'snapshots':
      return snapshotOwner(entry, books);
    case 'volumes':
      if (entry.startsWith('.removing-')) return { kind: 'being-deleted' };
      return books.volumes.has(entry) ? { kind: 'volumes', owner: entry } : { kind: 'unaccounted' };
    case 'containers':
      if (!books.containers.has(entry)) return { kind: 'unaccounted' };
      return { kind: 'containers-logs-and-files', owner: entry };
    default:
      return {
        kind:
          OWN.find(
            ([prefix]) => path === prefix || /^[.-]/.test(path.startsWith(prefix) ? path.slice(prefix.length) : ''),
          )?.[1] ?? 'unaccounted',
      };
  }
}

function snapshotOwner(entry: string, books: Books): Pick<Part, 'kind' | 'owner'> {
  if (entry === 'trash') return { kind: 'being-deleted' };
  if (entry === 'driver' || entry === 'overlay-works') return { kind: 'books' };
  const snapshot = books.snapshots.get(entry);
  if (snapshot === undefined) return { kind: 'unaccounted' };
  const { key: owner, kind } = snapshot;
  if (kind === 'committed') return { kind: 'image-layers', owner };
  if (books.containers.has(owner)) return { kind: 'containers-written', owner };
  if (owner.startsWith('image-mount-')) return { kind: 'image-mounts', owner };
  // Layers being unpacked, and what a builder works on.
  return { kind: owner.startsWith('build') ? 'builder' : 'unfinished', owner };
}
