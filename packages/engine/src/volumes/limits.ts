/** Longest volume name; a directory is named after it. */
export const MAX_VOLUME_NAME = 255;
/** Mounts of one container. */
export const MAX_MOUNTS = 1_024;
/** How long a plan that nobody acquired keeps its volumes. */
export const PLAN_LIFETIME_MS = 10 * 60_000;
/** The volume worker ends after this long without work. */
export const WORKER_IDLE_MS = 30_000;
/** Mounts over the network under way at once. */
export const NETWORK_MOUNTS = 16;
/** A mount over the network that takes longer has failed. */
export const NETWORK_MOUNT_TIMEOUT_MS = 120_000;
