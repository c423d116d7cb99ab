/** Events kept for replay; dockerd keeps 256. */
export const RING_SIZE = 1_024;
/** Events a subscriber may be behind before it is ended. */
export const SUBSCRIBER_QUEUE = 4_096;
