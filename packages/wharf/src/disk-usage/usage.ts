import type { ContainerSummary } from '../commands/container/container-rows.ts';
import type { ImageSummary } from '../commands/image/image-rows.ts';
import type { VolumeSummary } from '../commands/volume/volume-rows.ts';
import { humanSize } from '../term/units.ts';

/** What `GET /system/df` answers. */
export interface DiskUsage {
  readonly LayersSize?: number;
  readonly Images?: readonly ImageSummary[] | null;
  readonly Containers?: readonly UsedContainer[] | null;
  readonly Volumes?: readonly VolumeSummary[] | null;
  readonly BuildCache?: readonly CacheRecord[] | null;
}

type UsedContainer = ContainerSummary & { readonly SizeRw?: number };

/** An entry of the build cache. */
export interface CacheRecord {
  readonly ID: string;
  readonly Parent?: string;
  readonly Parents?: readonly string[] | null;
  readonly Type: string;
  readonly Description: string;
  readonly InUse: boolean;
  readonly Shared: boolean;
  readonly Size: number;
  readonly CreatedAt: string;
  readonly LastUsedAt?: string | null;
  readonly UsageCount: number;
}

/** One kind of thing that takes disk space. */
export interface UsageRow {
  readonly type: 'Images' | 'Containers' | 'Local Volumes' | 'Build Cache';
  readonly total: number;
  readonly active: number;
  readonly bytes: number;
  readonly reclaimable: number;
  /** Docker says the share, except of the cache. */
  readonly hasShare: boolean;
}

const ACTIVE = new Set(['running', 'paused', 'restarting']);
const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((all, item) => all + of(item), 0);

/** The four kinds, counted as docker counts them. */
export function usageRows(usage: DiskUsage): readonly UsageRow[] {
  return [imageUsage(usage), containerUsage(usage), volumeUsage(usage), cacheUsage(usage)];
}

function imageUsage({ Images, LayersSize = 0 }: DiskUsage): UsageRow {
  const images = Images ?? [];
  const used = images.filter((each) => each.Containers !== 0 && each.Size !== -1 && each.SharedSize !== -1);
  return {
    ...{ type: 'Images', total: images.length, active: images.filter(({ Containers }) => Containers > 0).length },
    ...{ bytes: LayersSize, reclaimable: LayersSize - sum(used, ({ Size, SharedSize }) => Size - SharedSize) },
    hasShare: LayersSize > 0,
  };
}

function containerUsage({ Containers }: DiskUsage): UsageRow {
  const containers = Containers ?? [];
  const active = containers.filter(({ State = '' }) => ACTIVE.has(State));
  const bytes = sum(containers, ({ SizeRw = 0 }) => SizeRw);
  return {
    ...{ type: 'Containers', total: containers.length, active: active.length, bytes },
    ...{ reclaimable: bytes - sum(active, ({ SizeRw = 0 }) => SizeRw), hasShare: bytes > 0 },
  };
}

function volumeUsage({ Volumes }: DiskUsage): UsageRow {
  const volumes = Volumes ?? [];
  const known = volumes.filter(
    ({ UsageData }) => UsageData !== null && UsageData !== undefined && UsageData.Size !== -1,
  );
  const size = ({ UsageData }: VolumeSummary) => UsageData?.Size ?? 0;
  const bytes = sum(known, size);
  const free = known.filter(({ UsageData }) => UsageData?.RefCount === 0);
  return {
    ...{ type: 'Local Volumes', total: volumes.length, active: volumes.filter(isUsed).length, bytes },
    ...{ reclaimable: sum(free, size), hasShare: bytes > 0 },
  };
}

function isUsed({ UsageData }: VolumeSummary): boolean {
  return (UsageData?.RefCount ?? 0) > 0;
}

function cacheUsage({ BuildCache }: DiskUsage): UsageRow {
  const records = BuildCache ?? [];
  const bytes = cacheBytes(records);
  const used = sum(
    records.filter(({ InUse, Shared }) => InUse && !Shared),
    ({ Size }) => Size,
  );
  return {
    ...{ type: 'Build Cache', total: records.length, active: records.filter(({ InUse }) => InUse).length, bytes },
    ...{ reclaimable: bytes - used, hasShare: false },
  };
}

/** What the cache takes that nothing else takes too. */
export function cacheBytes(records: readonly CacheRecord[]): number {
  return sum(
    records.filter(({ Shared }) => !Shared),
    ({ Size }) => Size,
  );
}

/** `1.2GB (30%)`. */
export function reclaimableText({ reclaimable, bytes, hasShare }: UsageRow): string {
  const text = humanSize(reclaimable);
  return hasShare ? `${text} (${Math.trunc((reclaimable * 100) / bytes)}%)` : text;
}
