import type { ImageConfig } from '@wharf/oci/spec/image';
import type { PlatformResult } from '../result.ts';
import type { ExportedLayer } from './layers.ts';

/** Where BuildKit looks for a cache in an image. */
const INLINE_CACHE = 'moby.buildkit.cache.v0';

/**
 * An image's configuration as it is exported: with the layers that are, and with no time later than SOURCE_DATE_EPOCH. What came from
 * the image that was built on stays as it was.
 */
export function exportedConfig(
  { config, plan }: Pick<PlatformResult, 'config' | 'plan'>,
  options: {
    readonly layers: readonly ExportedLayer[];
    /** Seconds since 1970. */
    readonly epoch: number | undefined;
    readonly inlineCache: unknown;
  },
): ImageConfig {
  const { layers, epoch, inlineCache } = options;
  const drafted = plan.target.draft.history;
  const created = epoch === undefined ? config.created : clamped(config.created, epoch);
  const history = config.history?.map((entry, index) => {
    // The draft has times only of what was there before the build.
    const isOwn = drafted[index]?.created === undefined;
    return isOwn && epoch !== undefined ? { ...entry, created: clamped(entry.created, epoch) } : entry;
  });
  return {
    ...config,
    ...(created === undefined ? {} : { created }),
    rootfs: { ...config.rootfs, diff_ids: layers.map(({ diffId }) => diffId) },
    ...(history === undefined ? {} : { history }),
    ...(inlineCache === undefined ? {} : { [INLINE_CACHE]: inlineCache }),
  };
}

function clamped(time: string | undefined, epoch: number): string {
  const latest = new Date(epoch * 1000).toISOString().replace('.000Z', 'Z');
  if (time === undefined) return latest;
  const ms = Date.parse(time);
  return Number.isNaN(ms) || ms > epoch * 1000 ? latest : time;
}
