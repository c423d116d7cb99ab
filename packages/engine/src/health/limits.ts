/** Probe output that is kept, in bytes. */
export const PROBE_OUTPUT_BYTES = 4_096;
/** Results kept for `inspect`. */
export const HEALTH_LOG_ENTRIES = 5;
/** Probes that run at one time on this host. */
export const CONCURRENT_PROBES = 16;
