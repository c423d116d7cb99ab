/** Bytes gathered before one write to the disk. */
export const WRITE_BATCH_BYTES = 1024 * 1024;
/** Blobs up to this size are hashed in the event loop (well under a millisecond); larger ones by a worker. */
export const INLINE_HASH_BYTES = 512 * 1024;
/** What `read` takes into memory when the caller names no limit. */
export const READ_LIMIT_BYTES = 8 * 1024 * 1024;
/** Threads that hash large blobs. */
export const HASH_WORKERS = 2;
/** How long an idle hash worker is kept. */
export const HASH_WORKER_IDLE_MS = 5_000;
/** How long the bytes of an interrupted, resumable blob are kept. */
export const RESUME_KEEP_MS = 24 * 60 * 60 * 1000;
