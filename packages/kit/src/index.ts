/** Everything the kit offers; see README.md. */

export * from './abort.ts';
export * from './backoff.ts';
export * from './bytes.ts';
export * from './clock.ts';
export * from './digest.ts';
export * from './duration.ts';
export * from './errors.ts';
export * from './filters.ts';
export * from './go-time.ts';
export * from './ids.ts';
export * from './keyed-lock.ts';
export * from './lazy.ts';
export * from './log.ts';
export * from './names.ts';
export * from './queue.ts';
export * from './redact.ts';
export * from './reference.ts';
export * from './semaphore.ts';
export * from './time-slice.ts';
