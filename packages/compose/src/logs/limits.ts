/** A longer line of a log is handed on in pieces. */
export const MAX_LINE_BYTES = 1024 * 1024;
