/** Requests that change something, under way at the same time. */
export const PARALLEL_STEPS = 64;
/** A state that nobody announced is looked at again after this long; events are what tells. */
export const STATE_LOOK_MS = 5000;
/** Before a lost stream of events is opened again. */
export const EVENTS_RETRY_MS = 200;
/** The end of a failed container's log, for the message. */
export const LOG_TAIL_LINES = 10;
