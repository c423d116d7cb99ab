/** Bounds of the logs room. */

/** Read from a log file at a time; scanning one takes about two milliseconds. */
export const READ_CHUNK_BYTES = 256 * 1024;
/** A line longer than this is no log line: conmon writes at most 8 KiB a record, a JSON record is at most 16 KiB escaped. */
export const MAX_RECORD_BYTES = 8 * 1024 * 1024;
/** Block of the backwards scan for `tail`. */
export const TAIL_BLOCK_BYTES = 64 * 1024;
/** How far before the first wanted line its beginning (or that of the other stream's line) is looked for. */
export const TAIL_LOOK_BACK_BYTES = 1024 * 1024;
/** Docker's longest message; longer lines are split into several. */
export const MAX_MESSAGE_BYTES = 16 * 1024;

/** Defaults of rotation, so that no log fills a disk. */
export const DEFAULT_MAX_SIZE_BYTES = 20_000_000;
export const DEFAULT_MAX_FILES = 5;
/** While no daemon runs at least so much of a log's end is kept, however small its files are. */
export const MIN_KEPT_BYTES = 1024 * 1024;
/** No more rotated files than this, whatever `max-file` says. */
export const MAX_FILES = 1000;

/** Shipped at a time, and the pause between while nobody waits for it: log shipping takes a small part of the loop. */
export const SHIP_CHUNK_BYTES = 128 * 1024;
export const SHIP_PAUSE_MS = 8;
/** Wait after a notice before shipping, so that several writes are one pass. */
export const SHIP_DELAY_MS = 25;
/** Above this backlog shipping is done by a thread beside, in pieces of this. */
export const SHIP_ASIDE_BYTES = 512 * 1024;
/** A thread without work ends after this. */
export const LOG_THREAD_IDLE_MS = 5000;
/** Above this backlog shipping no longer pauses: the spool must not outgrow the disk. */
export const SHIP_BACKLOG_BYTES = 64 * 1024 * 1024;
/** Above this backlog the container's writes wait until it is below the one before. */
export const SHIP_HOLD_BYTES = 128 * 1024 * 1024;
/** Shipped spool is given back to the filesystem in pieces of this. */
export const SPOOL_TRIM_BYTES = 8 * 1024 * 1024;
/** Longest time between two records of how far shipping has come. */
export const CURSOR_INTERVAL_MS = 1000;

/** How long the end of a container waits for attached clients that read its log. */
export const ATTACH_GRACE_MS = 2000;
/** Rotated files a follower may be behind. */
export const FOLLOWER_MAX_PENDING_FILES = 64;
/** How long conmon may take to reopen its log. */
export const REOPEN_DEADLINE_MS = 5000;
/** Between looks at the size of conmon's log. */
export const ROTATION_CHECK_BYTES = 256 * 1024;

/** Finished files a log driver may be behind before the process waits, or the oldest is dropped. */
export const FORWARD_MAX_BEHIND_FILES = 3;
/** Messages that wait for an unreachable syslog server are read again later; this is the pause between attempts. */
export const FORWARD_RETRY_MS = 1000;
