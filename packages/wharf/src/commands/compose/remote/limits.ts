/** A compose file or env file of an artifact is no larger. */
export const MAX_FILE_BYTES = 8 * 1024 * 1024;
/** An artifact has no more files. */
export const MAX_FILES = 256;
