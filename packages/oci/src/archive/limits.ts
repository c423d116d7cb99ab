/** JSON documents of an archive (`manifest.json`, `index.json`). */
export const ARCHIVE_DOCUMENT_BYTES = 20 * 1024 * 1024;
/** Members of one image archive. */
export const ARCHIVE_ENTRIES = 100_000;
/** Blobs of an archive whose fsync may be under way at once. */
export const PENDING_COMMITS = 4;
/** Images in one archive. */
export const ARCHIVE_IMAGES = 10_000;
