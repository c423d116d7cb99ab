/** Records that are always kept, the newest ones (BuildKit's `maxEntries`). */
export const KEPT_RECORDS = 50;

/** How long records beyond those are kept (BuildKit's `maxAge`). */
export const KEPT_MS = 48 * 3600 * 1000;

/** Records there may be at all; pinned ones do not count. */
export const MAX_RECORDS = 1000;

/** Records that may be pinned. */
export const MAX_PINNED = 1000;

/** What the log of one step may hold, in bytes; the rest is left out, and the log says so. */
export const MAX_STEP_LOG_BYTES = 2 * 1024 * 1024;

/** What the logs of one build may hold, in bytes. */
export const MAX_BUILD_LOG_BYTES = 64 * 1024 * 1024;

/** Events that a listener may be behind. */
export const MAX_PENDING_EVENTS = 1024;
