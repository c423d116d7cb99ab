/** The largest answer of a plugin that is read. */
export const PLUGIN_ANSWER_BYTES = 16 * 1024 * 1024;
/** A plugin that takes longer has failed; mounting over a network may take a while. */
export const PLUGIN_CALL_TIMEOUT_MS = 120_000;
/** Pauses between attempts to connect. */
export const PLUGIN_RETRY_DELAYS_MS: readonly number[] = [100, 250, 500, 1000, 2000];
