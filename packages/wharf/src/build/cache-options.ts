import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../cli/errors.ts';
import { csvFields, csvPairs } from './csv.ts';
import { readIndex, type StoreUpdate } from './layout-index.ts';

/** A place that the cache comes from or goes to, as the daemon is told of it. */
export interface CachePlace {
  readonly Type: string;
  readonly Attrs: Readonly<Record<string, string>>;
}

export interface CachePlaces {
  readonly imports: readonly CachePlace[];
  readonly exports: readonly CachePlace[];
  /** Directories the daemon may read and write blobs in, by the name it knows them by. */
  readonly stores: ReadonlyMap<string, string>;
  /** Layouts whose index is written once the daemon has said what it put there. */
  readonly updates: readonly StoreUpdate[];
}

/** Reads `--cache-from` and `--cache-to`. Throws UsageError. */
export function planCaches(from: readonly string[], to: readonly string[]): CachePlaces {
  const stores = new Map<string, string>();
  const updates: StoreUpdate[] = [];
  const imports = from.flatMap(parsePlaces).flatMap((place): readonly CachePlace[] => {
    if (place.Type !== 'local') return [place];
    const { src } = place.Attrs;
    if (src === undefined || src === '') throw new UsageError('local cache importer requires src');
    const digest = place.Attrs['digest'] ?? readIndex(src, place.Attrs['tag'] ?? 'latest');
    // A cache that nobody has written yet is none, as on the first run of a CI job.
    if (digest === undefined) return [];
    stores.set(`local:${src}`, resolve(src));
    return [{ Type: 'local', Attrs: { ...place.Attrs, digest } }];
  });
  const exports = to.flatMap(parsePlaces).map((place): CachePlace => {
    if (place.Type === 'registry' && !place.Attrs['ref']) throw new UsageError('registry cache exporter requires ref');
    if (place.Type !== 'local') return place;
    const { dest } = place.Attrs;
    if (dest === undefined || dest === '') throw new UsageError('local cache exporter requires dest');
    mkdirSync(dest, { recursive: true });
    stores.set(`local:${dest}`, resolve(dest));
    updates.push({ directory: resolve(dest), tag: place.Attrs['tag'] ?? 'latest', answer: 'cache.manifest' });
    return place;
  });
  return { imports, exports, stores, updates };
}

/** Names of images, separated by commas, or `type=…,…`. */
function parsePlaces(text: string): readonly CachePlace[] {
  if (text === '') return [];
  if (!text.includes('=')) return csvFields(text).map((ref) => ({ Type: 'registry', Attrs: { ref } }));
  const { type, ...Attrs } = Object.fromEntries(csvPairs(text));
  if (type === undefined || type === '') throw new UsageError(`type required for "${text}"`);
  return [{ Type: type, Attrs }];
}
