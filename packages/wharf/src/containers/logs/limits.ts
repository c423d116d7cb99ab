/** Bytes of a log's line that are kept until its end comes. */
export const LOG_LINE_LIMIT_BYTES = 1024 * 1024;
