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
/** Images summed up at once for a list. */
export const SUMMARY_CONCURRENCY = 8;
/** Layers unpacked at once while their archive still arrives; leaves a worker for others. */
export const EAGER_CONCURRENCY = 3;
/** Smaller layers are not worth a guess. */
export const EAGER_LEAST_BYTES = 1024 * 1024;
