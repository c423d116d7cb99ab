/** How long removed trees may wait for the broom, so that one sweep takes many. */
export const SWEEP_DELAY_MS = 100;
/** Up to so many removed container layers are deleted without waking a worker thread. */
export const SMALL_SWEEP = 4;
/** How long after a commit everything is written back to disk. */
export const SYNC_DELAY_MS = 1000;
/** Overlayfs stacks at most so many layers (OVL_MAX_STACK). */
export const MAX_LAYERS = 500;
/** And how long after a try that failed, for a disk that was full. */
export const SYNC_RETRY_MS = 30_000;
/** So many files of layers are looked at to tell which of them have names elsewhere. */
export const MAX_LOOKED_AT = 100_000;
