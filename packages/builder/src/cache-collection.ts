import { statfs } from 'node:fs/promises';
import { type Clock, type Logger, messageOf } from '@wharf/kit';
import { type CacheRule, defaultPolicy, type SpaceBounds } from './cache-policy.ts';
import type { CacheUsage } from './cache-usage.ts';
import type { BuildImages, ImageLease } from './interfaces.ts';
import { CACHE_LIMIT_DELAY_MS, CACHE_LIMIT_EVERY_MS } from './limits.ts';

/** When the cache is cut back, and how far. */
export interface CacheLimits {
  readonly enabled: boolean;
  /** What the usual rules are made with; zeros where nothing was said. */
  readonly space: SpaceBounds;
  /** In the place of the usual ones. */
  readonly rules?: readonly CacheRule[];
}

/** Keeps the cache within its limits: some time after builds, in the background, one round at a time and not all the time. */
export class CacheCollection {
  readonly #options: {
    readonly usage: CacheUsage;
    readonly images: Pick<BuildImages, 'collect'>;
    readonly limits: CacheLimits;
    readonly dataRoot: string;
    readonly clock: Clock;
    readonly log: Logger;
  };
  #timer: NodeJS.Timeout | undefined;
  #hasPacked = false;
  #lastAt = 0;

  constructor(options: {
    readonly usage: CacheUsage;
    readonly images: Pick<BuildImages, 'collect'>;
    readonly limits: CacheLimits;
    readonly dataRoot: string;
    readonly clock: Clock;
    readonly log: Logger;
  }) {
    this.#options = options;
  }

  /**
   * A build's lease. Blobs that are packed under it may be for an archive or a registry only: what no image takes up is given back in
   * the next round, and can be used again until then.
   */
  watch(lease: ImageLease): ImageLease {
    return {
      ...lease,
      commit: (writer, expected) => {
        this.#hasPacked = true;
        return lease.commit(writer, expected);
      },
    };
  }

  /** To be called when the cache may have grown. */
  soon(): void {
    if (!this.#options.limits.enabled || this.#timer !== undefined) return;
    const since = performance.now() - this.#lastAt;
    const delayMs =
      this.#lastAt === 0 ? CACHE_LIMIT_DELAY_MS : Math.max(CACHE_LIMIT_DELAY_MS, CACHE_LIMIT_EVERY_MS - since);
    this.#timer = setTimeout(() => {
      this.#run()
        .catch((error: unknown) => {
          this.#options.log.warn({ err: messageOf(error) }, 'the build cache could not be kept within its bounds');
        })
        .finally(() => {
          this.#lastAt = performance.now();
          this.#timer = undefined;
        });
    }, delayMs).unref();
  }

  async #run(): Promise<void> {
    const { usage, images, limits, dataRoot, clock } = this.#options;
    const hasPacked = this.#hasPacked;
    this.#hasPacked = false;
    if (hasPacked) await images.collect();
    const { blocks, bsize } = await statfs(dataRoot);
    const rules = limits.rules ?? defaultPolicy(limits.space, blocks * bsize);
    await usage.limit(rules, Number(clock.nowNs() / 1_000_000n));
  }
}
