import { namespaceOf } from '../names.ts';
import type { Metric } from '../plug/extension.ts';

interface Counts {
  /** Tags served without a manifest being fetched. */
  hits: number;
  /** Manifests, and blobs, that were asked for upstream. */
  manifests: number;
  blobs: number;
  bytes: number;
  /** Questions that an upstream did not answer; and tags served as they were because of that. */
  failures: number;
  stale: number;
}

const HELP: Readonly<Record<keyof Counts, string>> = {
  hits: 'Tags served from the cache.',
  manifests: 'Manifests asked for upstream.',
  blobs: 'Blobs asked for upstream.',
  bytes: 'Bytes of blobs fetched from upstream.',
  failures: 'Questions an upstream did not answer.',
  stale: 'Tags served as they were since the upstream did not answer.',
};

/** What the caches of other registries do, by their prefix. */
export class ProxyCounts {
  readonly #byPrefix: ReadonlyMap<string, Counts>;

  constructor(prefixes: readonly string[]) {
    const none = () => ({ hits: 0, manifests: 0, blobs: 0, bytes: 0, failures: 0, stale: 0 });
    this.#byPrefix = new Map(prefixes.map((prefix) => [prefix, none()]));
  }

  /** Those of a repository's cache. Throws for a repository that is in none. */
  of(repository: string): Counts {
    const counts = this.#byPrefix.get(namespaceOf(repository));
    if (counts === undefined) throw new Error(`"${repository}" is in no cache`);
    return counts;
  }

  metrics(): readonly Metric[] {
    if (this.#byPrefix.size === 0) return [];
    return (Object.keys(HELP) as (keyof Counts)[]).map((name) => ({
      ...{ name: `proxy_${name}_total`, help: HELP[name], type: 'counter' },
      values: [...this.#byPrefix].map(([prefix, counts]) => ({ labels: { prefix }, value: counts[name] })),
    }));
  }
}
