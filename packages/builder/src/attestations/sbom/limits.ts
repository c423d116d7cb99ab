/** The largest file that is read for its packages, in bytes. */
export const MAX_DATABASE_BYTES = 64 * 1024 * 1024;

/** The largest text of licenses of one package. */
export const MAX_COPYRIGHT_BYTES = 1024 * 1024;

/** Files of one tree that are looked at. */
export const MAX_SCANNED_FILES = 5_000_000;

/** Packages that one tree may hold. */
export const MAX_PACKAGES = 100_000;

/** Places that one package's entry names. */
export const MAX_PLACES = 20;
