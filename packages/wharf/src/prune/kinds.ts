import type { DockerClient } from '@wharf/wire/docker-client/client';
import type { QueryValue } from '@wharf/wire/docker-client/request';
import { type FilterPair, filterQuery } from '../cli/filter-flag.ts';

/** What a clean-up of one kind of thing answers (Engine API, "…Prune"). */
export interface PruneReport {
  readonly ContainersDeleted?: readonly string[] | null;
  readonly NetworksDeleted?: readonly string[] | null;
  readonly VolumesDeleted?: readonly string[] | null;
  readonly CachesDeleted?: readonly string[] | null;
  readonly ImagesDeleted?: readonly { readonly Untagged?: string; readonly Deleted?: string }[] | null;
  readonly SpaceReclaimed?: number;
}

interface PruneKind {
  readonly path: string;
  readonly title: string;
  /** What went, a line each. */
  readonly removed: (report: PruneReport) => readonly string[] | null | undefined;
}

/** What can be cleaned up, in docker's order for all of it. */
export const PRUNE_KINDS = {
  containers: {
    path: '/containers/prune',
    title: 'Deleted Containers:',
    removed: ({ ContainersDeleted }) => ContainersDeleted,
  },
  networks: { path: '/networks/prune', title: 'Deleted Networks:', removed: ({ NetworksDeleted }) => NetworksDeleted },
  volumes: { path: '/volumes/prune', title: 'Deleted Volumes:', removed: ({ VolumesDeleted }) => VolumesDeleted },
  images: {
    path: '/images/prune',
    title: 'Deleted Images:',
    removed: ({ ImagesDeleted }) =>
      ImagesDeleted?.map(({ Untagged, Deleted = '' }) => (Untagged ? `untagged: ${Untagged}` : `deleted: ${Deleted}`)),
  },
  cache: {
    path: '/build/prune',
    title: 'Deleted build cache objects:',
    removed: ({ CachesDeleted }) => CachesDeleted,
  },
} as const satisfies Readonly<Record<string, PruneKind>>;

export type PruneName = keyof typeof PRUNE_KINDS;

export interface Pruned {
  readonly report: PruneReport;
  /** What docker prints of it; empty when nothing went. */
  readonly text: string;
  readonly bytes: number;
}

interface PruneWish {
  readonly filters: readonly FilterPair[];
  readonly query?: Readonly<Record<string, QueryValue>>;
  readonly signal?: AbortSignal;
}

/** Removes what is not used of one kind. `query` are parameters besides the filters. */
export async function pruneKind(
  daemon: DockerClient,
  name: PruneName,
  { filters, query, signal }: PruneWish,
): Promise<Pruned> {
  const { path, title, removed } = PRUNE_KINDS[name];
  const report = await daemon.json<PruneReport>('POST', path, {
    query: { ...query, filters: filterQuery(filters) },
    signal,
  });
  const lines = removed(report) ?? [];
  if (lines.length === 0) return { report, text: '', bytes: name === 'cache' ? (report.SpaceReclaimed ?? 0) : 0 };
  return { report, text: `${title}\n${lines.map((line) => `${line}\n`).join('')}`, bytes: report.SpaceReclaimed ?? 0 };
}

/** The filters of the line with those of the configuration (`pruneFilters`), which give way where they say the contrary. */
export function pruneFilters(given: readonly FilterPair[], configured: readonly string[] = []): readonly FilterPair[] {
  const has = (key: string, value: string) => given.some((pair) => pair?.[0] === key && pair[1] === value);
  const more = configured.flatMap((text): readonly FilterPair[] => {
    const equals = text.indexOf('=');
    if (equals < 0) return [];
    const [key, value] = [text.slice(0, equals), text.slice(equals + 1)];
    if (key === 'label' && has('label!', value)) return [];
    return key === 'label!' && has('label', value) ? [] : [[key, value]];
  });
  return [...given, ...more];
}
