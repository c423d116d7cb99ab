/** Bounds of the streams room. */

/** conmon reads its attach socket into a buffer of this size and drops the rest of a longer packet. */
export const STDIN_PACKET_BYTES = 32 * 1024;
/** One read from a pipe, which holds so much unless it was made larger. */
export const PIPE_READ_BYTES = 64 * 1024 + 1;
/** Once every client has this much waiting, the monitor's socket is no longer read and the process feels it. */
export const CLIENT_HIGH_WATER_BYTES = 1024 * 1024;
/** Reading goes on once the fastest client has come down to this. */
export const CLIENT_LOW_WATER_BYTES = 256 * 1024;
/** A client that lags this far behind others is cut, so that it does not stall them. */
export const CLIENT_MAX_BYTES = 16 * 1024 * 1024;
/** Largest and smallest piece collected before it is written to a client. */
export const BATCH_MAX_BYTES = 256 * 1024;
export const BATCH_MIN_BYTES = 4 * 1024;
/** Clients attached to one process. */
export const MAX_CLIENTS = 1024;
/** After the end a client that takes nothing for this long no longer delays the report of the exit… */
export const DRAIN_GRACE_MS = 2_000;
/** …but keeps what is buffered for it until it has taken nothing for this long (`docker run … | less`). */
export const STUCK_CLIENT_MS = 10 * 60_000;
/** How often a client that has ended its side is looked after: it may be gone. */
export const HALF_CLOSED_CHECK_MS = 5_000;
/** A connection whose peer does not close its half is destroyed after this. */
export const LINGER_MS = 10_000;
/** conmon handles one control message per read: the gap keeps two of them apart. */
export const CONTROL_GAP_MS = 15;
/** How long to wait for conmon to listen on its control FIFO. */
export const CONTROL_DEADLINE_MS = 2_000;
/** Keys in a detach sequence. */
export const MAX_DETACH_KEYS = 64;
