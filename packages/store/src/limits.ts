/** The longest table name or key, in UTF-16 units. */
export const MAX_KEY_LENGTH = 1024;
/** The largest document, in bytes of JSON. */
export const MAX_VALUE_LENGTH = 16 * 1024 * 1024;
/** A worker copies the write-ahead log into the database once this much of it is not there yet. */
export const CHECKPOINT_WAL_BYTES = 16 * 1024 * 1024;
/** Past this length groups wait until all of it is copied, so that it begins anew. */
export const CATCH_UP_WAL_BYTES = 64 * 1024 * 1024;
/** Past this length the main thread does it itself, whatever it costs: the log must not fill the disk. */
export const FORCED_CHECKPOINT_WAL_BYTES = 128 * 1024 * 1024;
/** How long `open` waits for the previous owner to let go of the database. */
export const LOCK_WAIT_MS = 1_000;
/** Room kept for opening the database on a full disk. */
export const RESERVE_BYTES = 4 * 1024 * 1024;
/** On file systems smaller than this no room is kept. */
export const MIN_RESERVED_FILE_SYSTEM_BYTES = 128 * 1024 * 1024;
/** Records that one reading of a log gives when the reader names no limit. */
export const MAX_LOG_READ = 1_000;
