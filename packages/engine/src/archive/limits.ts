/** Copies and exports under way at once; further ones wait. A slow client holds one while it reads. */
export const ARCHIVE_WORKERS = 8;
/** Symlinks followed on one path, as Go's filepath.EvalSymlinks. */
export const MAX_SYMLINKS = 255;
/** The largest user database of a container that is read to find an owner. */
export const MAX_USER_DATABASE_BYTES = 4 * 1024 * 1024;
