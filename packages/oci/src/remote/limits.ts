/** The largest manifest or index, as registries themselves bound it (distribution-spec, "Pushing Manifests"). */
export const MANIFEST_BYTES = 4 * 1024 * 1024;
/** The largest image config read into memory. */
export const CONFIG_BYTES = 8 * 1024 * 1024;
/** An error's document, a token, a page of tags. */
export const ANSWER_BYTES = 1024 * 1024;
/** A page of tags may be long: some registries do not page. */
export const TAGS_BYTES = 16 * 1024 * 1024;
export const TAG_PAGES = 10_000;
/** Pages of a listing of referrers that are read. */
export const REFERRER_PAGES = 100;
export const TAGS = 200_000;
/** Redirects followed for one request. */
export const REDIRECTS = 6;
/** Tries of one request that failed for a reason which may pass. */
export const REQUEST_ATTEMPTS = 5;
export const BACKOFF = { firstMs: 250, maxMs: 10_000, jitter: 0.3 } as const;
/** The longest wait a registry can ask for by `Retry-After`; one that asks for more gets its error shown. */
export const RETRY_AFTER_MS = 60_000;
/** Blobs beyond this are fetched by several ranges at once. */
export const RANGES_FROM_BYTES = 96 * 1024 * 1024;
/** Size of one range; those fetched ahead are kept in memory. */
export const RANGE_BYTES = 8 * 1024 * 1024;
/** Ranges of one blob under way at once. */
export const RANGE_STREAMS = 3;
/** Pieces of a chunked upload. */
export const UPLOAD_CHUNK_BYTES = 32 * 1024 * 1024;
export const UPLOAD_ATTEMPTS = 5;
/** Tokens kept by one session. */
export const TOKENS = 64;
/** A token is asked for anew so long before it ends; one that says nothing holds a minute (token specification). */
export const TOKEN_MARGIN_MS = 5_000;
export const TOKEN_LIFE_MS = 60_000;
/** A file of hosts, or a certificate. */
export const CONFIG_FILE_BYTES = 1024 * 1024;
/** How long it is remembered that a registry speaks plain HTTP. */
export const SCHEME_MEMORY_MS = 10 * 60_000;
/** Threads that unpack layers while they are being downloaded. */
export const FOLLOW_WORKERS = 4;
