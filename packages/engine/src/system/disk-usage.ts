import { WharfError } from '@wharf/kit';
import type {
  BuildCache,
  ContainerSummary,
  DiskUsageSummary,
  ImageSummary,
  SystemDataUsage,
  Volume,
} from '@wharf/wire/docker/types';

export type UsageKind = 'container' | 'image' | 'volume' | 'build-cache';
const kinds: readonly UsageKind[] = ['container', 'image', 'volume', 'build-cache'];

/** What was measured; kinds nobody asked for are absent. */
export interface Usage {
  readonly images?: { readonly totalBytes: number; readonly images: readonly ImageSummary[] } | undefined;
  readonly containers?: readonly ContainerSummary[] | undefined;
  readonly volumes?: readonly Volume[] | undefined;
  readonly buildCache?: readonly BuildCache[] | undefined;
}

/** Reads the `type` parameters; all kinds when there is none. Throws `invalid-argument` (`unknown object type: x`). */
export function parseUsageKinds(types: readonly string[]): ReadonlySet<UsageKind> {
  if (types.length === 0) return new Set(kinds);
  return new Set(
    types.map((type) => {
      const kind = kinds.find((known) => known === type);
      if (kind === undefined) throw new WharfError('invalid-argument', `unknown object type: ${type}`);
      return kind;
    }),
  );
}

/**
 * `GET /system/df` for an API version: lists below 1.52, summaries from then on (with items when `verbose`), and in 1.52 and
 * later without `verbose` both, as clients that name no version expect the lists. Pure.
 */
export function shapeUsage(
  usage: Usage,
  request: { readonly minor: number; readonly verbose: boolean },
): SystemDataUsage {
  const verbose = request.verbose && request.minor >= 52;
  return {
    ...(verbose ? {} : legacyShape(usage, request.minor)),
    ...(request.minor < 52 ? {} : summaries(usage, verbose)),
  };
}

function legacyShape({ images, containers, volumes, buildCache }: Usage, minor: number): SystemDataUsage {
  const unasked = { LayersSize: 0, Images: null, Containers: null, Volumes: null, BuildCache: null };
  return {
    ...(minor < 52 ? unasked : {}),
    ...(images === undefined ? {} : { LayersSize: images.totalBytes, Images: images.images }),
    ...(containers === undefined ? {} : { Containers: containers }),
    ...(volumes === undefined ? {} : { Volumes: volumes }),
    ...(buildCache === undefined ? {} : { BuildCache: buildCache }),
    ...(minor < 42 && buildCache !== undefined ? { BuilderSize: sum(buildCache.map(({ Size }) => Size)) } : {}),
  };
}

function summaries({ images, containers, volumes, buildCache }: Usage, verbose: boolean): SystemDataUsage {
  return {
    ...(images === undefined ? {} : { ImageUsage: imageSummary(images, verbose) }),
    ...(containers === undefined ? {} : { ContainerUsage: containerSummary(containers, verbose) }),
    ...(volumes === undefined ? {} : { VolumeUsage: volumeSummary(volumes, verbose) }),
    ...(buildCache === undefined ? {} : { BuildCacheUsage: cacheSummary(buildCache, verbose) }),
  };
}

function imageSummary(
  { images, totalBytes }: NonNullable<Usage['images']>,
  verbose: boolean,
): DiskUsageSummary<ImageSummary> {
  const unused = images.filter(
    ({ Containers, Size, SharedSize }) => Containers === 0 && Size !== -1 && SharedSize !== -1,
  );
  return {
    ActiveCount: images.filter(({ Containers }) => Containers > 0).length,
    TotalCount: images.length,
    Reclaimable: sum(unused.map(({ Size, SharedSize }) => Size - SharedSize)),
    TotalSize: totalBytes,
    ...(verbose ? { Items: images } : {}),
  };
}

const activeStates = ['running', 'paused', 'restarting'];

function containerSummary(
  containers: readonly ContainerSummary[],
  verbose: boolean,
): DiskUsageSummary<ContainerSummary> {
  const idle = containers.filter(({ State }) => !activeStates.includes(State));
  return {
    ActiveCount: containers.length - idle.length,
    TotalCount: containers.length,
    Reclaimable: sum(idle.map(({ SizeRw }) => SizeRw ?? 0)),
    TotalSize: sum(containers.map(({ SizeRw }) => SizeRw ?? 0)),
    ...(verbose ? { Items: containers } : {}),
  };
}

function volumeSummary(volumes: readonly Volume[], verbose: boolean): DiskUsageSummary<Volume> {
  const sized = volumes.filter(({ UsageData }) => UsageData !== undefined && UsageData.Size !== -1);
  const unused = sized.filter(({ UsageData }) => UsageData?.RefCount === 0);
  return {
    ActiveCount: volumes.length - unused.length,
    TotalCount: volumes.length,
    Reclaimable: sum(unused.map(({ UsageData }) => UsageData?.Size ?? 0)),
    TotalSize: sum(sized.map(({ UsageData }) => UsageData?.Size ?? 0)),
    ...(verbose ? { Items: volumes } : {}),
  };
}

function cacheSummary(cache: readonly BuildCache[], verbose: boolean): DiskUsageSummary<BuildCache> {
  const idle = cache.filter(({ InUse, Shared }) => !InUse && !Shared);
  return {
    ActiveCount: cache.filter(({ InUse }) => InUse).length,
    TotalCount: cache.length,
    Reclaimable: sum(idle.map(({ Size }) => Size)),
    TotalSize: sum(cache.map(({ Size }) => Size)),
    ...(verbose ? { Items: cache } : {}),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
