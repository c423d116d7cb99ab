/** What is read of a file that is sent at once, in bytes: one message of the session. */
export const PIECE_BYTES = 256 * 1024;

/** The largest secret (BuildKit, secretsprovider: 500 KiB). */
export const MAX_SECRET_BYTES = 500 * 1024;

/** The largest Dockerfile that comes from standard input or an address. */
export const MAX_DOCKERFILE_BYTES = 2 * 1024 * 1024;

/** Lines of a step's output that are kept, to be shown when it fails. */
export const KEPT_LINES = 200;

/** Lines that a failed step's report shows. */
export const REPORTED_LINES = 10;

/** The longest line of output that is kept, in characters. */
export const MAX_LINE_LENGTH = 4096;

/** Levels of directories in a build context. */
export const MAX_DEPTH = 1024;

/** Paths of one directory that are sent. */
export const MAX_ENTRIES = 5_000_000;

/** Symlinks in a row that a path may lead through. */
export const MAX_LINKS = 255;

/** How often a live view is drawn again, in milliseconds. */
export const FRAME_MS = 80;

/** How long the daemon may take to say the last of what happened, after the build has ended. */
export const LAST_STATUS_MS = 3000;

/** How long the daemon may take to turn a connection over to gRPC. */
export const UPGRADE_TIMEOUT_MS = 30_000;
