/** How long an ended exec can still be inspected, in milliseconds. */
export const KEEP_ENDED_MS = 5 * 60_000;
/** Execs of one container that have not ended; each may hold a monitor of 1 MB. */
export const MAX_EXECS_PER_CONTAINER = 1_000;
/** How long a reader of an exec's state waits for an exit code that its monitor has sent already. */
export const EXIT_CODE_WAIT_MS = 2_000;
