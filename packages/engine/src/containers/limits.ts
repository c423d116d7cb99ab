/** Bounds of the containers room. */

/** How long SIGKILL may take until we say that the container cannot be killed (dockerd: 10 s, then 2 s more). */
export const KILL_WAIT_MS = 10_000;
export const KILL_LAST_WAIT_MS = 2_000;
export const DEFAULT_STOP_TIMEOUT_SECONDS = 10;
/** What a container forced out by `rm -f` or `--rm` gets before SIGKILL, once it did not run any more. */
/** Clients that do not read their output cannot keep an exit from being booked for longer than this. */
export const DRAIN_DEADLINE_MS = 15_000;
export const LOG_FINISH_DEADLINE_MS = 30_000;
export const NETWORK_DEADLINE_MS = 30_000;
/** From SIGKILL until a monitor that ran nothing is gone. */
export const MONITOR_LEAVES_MS = 10_000;
/** How long `rm -f` lets a start go on that is under way. */
export const START_GRACE_MS = 3_000;

/** Restart policies: first delay, its ceiling, and the run that counts as good and resets the delay. */
export const RESTART_FIRST_DELAY_MS = 100;
export const RESTART_MAX_DELAY_MS = 60_000;
export const RESTART_GOOD_RUN_MS = 10_000;
/** How many restarts the daemon begins at once after its own start. */
export const RESTORE_CONCURRENCY = 8;

export const HOSTNAME_MAX = 64;
export const MIN_MEMORY_BYTES = 6 * 1024 * 1024;
/** passwd and group files of an image, read to find a user. */
export const USER_FILE_LIMIT_BYTES = 4 * 1024 * 1024;
export const TOP_DEADLINE_MS = 10_000;

/** What a program may need from its start until it handles signals; one it does not handle yet is held back for so long. */
export const HANDLER_WAIT_MS = 300;
export const HANDLER_LOOK_MS = 5;
/** Between a sign of exhausted memory and the look at what was killed, and how many looks are taken. */
export const OOM_SETTLE_MS = 50;
export const OOM_TRIES = 20;
/** A container that is started at boot waits this long for one it depends on to get healthy, and starts then in any case. */
export const DEPENDENCY_WAIT_MS = 120_000;
