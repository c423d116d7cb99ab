/** Bounds of the runtime room. Times are generous: a loaded host is slow, a hung runtime is for ever. */
export const RUNTIME_CALL_DEADLINE_MS = 30_000;
export const CREATE_DEADLINE_MS = 60_000;
export const CHECKPOINT_DEADLINE_MS = 300_000;
/** How much of a runtime's own message reaches a client. */
export const RUNTIME_MESSAGE_LIMIT = 4096;
/** What the monitor may say on its pipe; it says two short lines. */
export const SYNC_PIPE_LIMIT_BYTES = 64 * 1024;
