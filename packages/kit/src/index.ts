/** Everything the kit offers; see README.md. */
export * from './clock.ts';
export * from './digest.ts';
export * from './errors.ts';
export * from './go-time.ts';
export * from './ids.ts';
export * from './keyed-lock.ts';
export * from './log.ts';
