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
/** How often amounts of a transfer are told. */
export const PROGRESS_TICK_MS = 100;
/** Manifests of an index without a platform that are looked into for theirs. */
export const UNNAMED_PLATFORMS = 16;
/** Fast rather than small: a push waits for it, and level 6 gives 7 % less at twice the work. */
export const PUSHED_GZIP_LEVEL = 1;
/** Repositories remembered for one blob, to mount it from. */
export const BLOB_SOURCES = 8;
/** Names that one `pull --all-tags` takes. */
export const PULLED_TAGS = 10_000;
/** Forms of one layer that are remembered. */
export const LAYER_FORMS = 8;
