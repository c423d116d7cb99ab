/** A daemon.json larger than this is a mistake. */
export const DAEMON_JSON_LIMIT_BYTES = 1024 * 1024;

/** How long a graceful stop may take before the daemon leaves with what it has. */
export const SHUTDOWN_DEADLINE_MS = 20_000;

/** How long answers under way may go on once the daemon stops. Hijacked streams end with it: their containers run on. */
export const API_CLOSE_GRACE_MS = 500;

/** How often the daemon looks at its memory. */
export const MEMORY_CHECK_MS = 5000;

/** Memory beyond what there was after the last look that is worth giving back. */
export const MEMORY_SLACK_BYTES = 16 * 1024 * 1024;

/** How long after its start the daemon gives back what it needed for it. */
export const MEMORY_SETTLE_MS = 1000;

/** The longest line that the daemon prints a listing for. */
export const MAX_LISTING_WORDS = 64;

/** The longest list that the daemon prints itself: some 10 us a row, in which it does nothing else. */
export const MAX_LISTING_ROWS = 500;
