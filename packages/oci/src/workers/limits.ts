import { availableParallelism } from 'node:os';

/** Threads that unpack, pack and delete layers. */
export const LAYER_WORKERS = Math.max(2, Math.min(4, availableParallelism()));
/** Bytes under way between a job and its caller, in each direction, before the sender waits. */
export const STREAM_WINDOW_BYTES = 2 * 1024 * 1024;
/** Input is sent to a worker in pieces of about this size. */
export const INPUT_CHUNK_BYTES = 256 * 1024;
/** How long an idle thread, 13 MB of memory, is kept: the last of a pool, and those beyond it. */
export const LAST_WORKER_IDLE_MS = 20_000;
export const WORKER_IDLE_MS = 15_000;
/** Jobs waiting for a thread. */
export const MAX_WAITING_JOBS = 4096;
