/**
 * The documents of the Engine API, versions 1.24 to 1.56, in Docker's own spelling.
 *
 * - A field that some version or some daemon leaves out is optional; `| undefined` lets callers pass on what they lack.
 * - Go writes a nil slice or map as `null`, so lists and maps admit `null`. The decoders of `decode.ts` never produce
 *   `null`: a stored document has the value or lacks the field, and the answering route adds Docker's `null` or `""`.
 * - An int64 is a `number`: beyond 2^53 the decoders saturate to the nearest double Go still reads. Counters that are
 *   only ever sent (`stats`) are `number | bigint`.
 */
export type * from './types/common.ts';
export type * from './types/container-config.ts';
export type * from './types/container-state.ts';
export type * from './types/containers.ts';
export type * from './types/events.ts';
export type * from './types/execs.ts';
export type * from './types/images.ts';
export type * from './types/networks.ts';
export type * from './types/stats.ts';
export type * from './types/system.ts';
export type * from './types/volumes.ts';
