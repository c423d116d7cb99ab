/** How often the disk is looked at, where collection is on. */
export const WATCH_INTERVAL_MS = 60_000;
/** Things one collection removes at most; the next look goes on. */
export const MAX_REMOVALS = 10_000;
/** Paths named one by one in an account. */
export const MAX_UNACCOUNTED = 1_000;
