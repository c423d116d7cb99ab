/** Parsed manifests, indexes and configs kept in memory. */
export const DOCUMENT_CACHE_ENTRIES = 1024;
/** A parsed document larger than this is not kept. */
export const DOCUMENT_CACHE_BYTES = 256 * 1024;
/** Indexes within indexes followed. */
export const INDEX_DEPTH = 4;
/** The largest image list, in descriptors of one index. */
export const INDEX_ENTRIES = 10_000;
/** Layers of one image. */
export const LAYERS = 1_000;
/** JSON documents of an archive (`manifest.json`, `index.json`, configs, manifests). */
export const ARCHIVE_DOCUMENT_BYTES = 20 * 1024 * 1024;
/** Entries of one image archive. */
export const ARCHIVE_ENTRIES = 100_000;
/** Blobs of an archive whose fsync may be under way at once. */
export const PENDING_COMMITS = 4;
/** Images summed up at once for a list. */
export const SUMMARY_CONCURRENCY = 8;
