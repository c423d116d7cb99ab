import type { DiffId, Digest } from '@wharf/kit';

/** The media type of a cache's description (BuildKit, cache/remotecache/v1 `doc.go`). */
export const CACHE_CONFIG = 'application/vnd.buildkit.cacheconfig.v0';
/** Where an image's configuration carries the description of its own steps ("inline cache"). */
export const INLINE_CACHE = 'moby.buildkit.cache.v0';

/**
 * The description of a cache in BuildKit's format: layers, and records that name them. Registries and tools that carry caches of BuildKit
 * carry these. What is found by a record's digest is this builder's own: records of others are never found.
 */
export interface CacheConfig {
  readonly layers?: readonly CacheLayer[];
  readonly records?: readonly CacheRecord[];
}

export interface CacheLayer {
  readonly blob: Digest;
  /** The layer below, by its place in the list; -1 for none. */
  readonly parent: number;
  readonly annotations: {
    readonly mediaType: string;
    readonly diffID: DiffId;
    /** Of the blob, in bytes. */
    readonly size: number;
    /** RFC 3339. */
    readonly createdAt: string;
  };
}

export interface CacheRecord {
  /** The step's key. */
  readonly digest: string;
  readonly layers: readonly {
    /** The topmost layer, by its place in the list; of an inline cache the image's. */
    readonly layer: number;
    readonly createdAt: string;
  }[];
  /** What this builder wants to know besides; absent in records of others. */
  readonly wharf?: {
    /** Of the layer's archive, in bytes. */
    readonly size: number;
    readonly kind: 'run' | 'file';
    readonly description: string;
    /** Of a COPY: digests of what it takes from trees, by what it takes (`selectionKey`). */
    readonly selections?: Readonly<Record<string, string>>;
  };
}

export function recordDigest(key: string): string {
  return `sha256:${key}`;
}

/** The key that a record's digest stands for; `undefined` for a record of another builder. */
export function keyOf({ digest, wharf }: CacheRecord): string | undefined {
  return wharf !== undefined && /^sha256:[0-9a-f]{64}$/.test(digest) ? digest.slice('sha256:'.length) : undefined;
}
