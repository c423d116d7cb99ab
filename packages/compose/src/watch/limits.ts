/** Changes are acted upon when nothing more came for so long, */
export const QUIET_MS = 100;
/** or when the first has waited for so long. */
export const PATIENCE_MS = 1000;
/** Directories that are watched at most; the kernel's own bound is `fs.inotify.max_user_watches`. */
export const MAX_DIRECTORIES = 200_000;
/** More events than this at once: the kernel may have dropped some, and everything is looked at again. */
export const MANY_EVENTS = 4096;
/** How often directories are looked at that the kernel does not watch. */
export const POLL_MS = 1000;
/** Files read at the same time while looking for changes. */
export const SCAN_WIDTH = 32;
