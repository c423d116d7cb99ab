/** Time between samples. */
export const SAMPLE_INTERVAL_MS = 1_000;
/** Samples a client may be behind; further ones are left out for it. */
export const STATS_QUEUE = 8;
/** How long the sampler reads before it lets the event loop run. */
export const SAMPLE_SLICE_MS = 4;
