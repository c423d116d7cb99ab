import type { EncodeTask } from './encode-records.ts';
import type { PendingLine } from './message-joiner.ts';

/** What the log thread does: all that would keep the event loop from others. */
export type LogTask = ShipTask | { readonly kind: 'compress'; readonly path: string; readonly start: number };

/** Reads a piece of a spool, and writes what it gives to a json-file. The descriptors stay open until the answer. */
export interface ShipTask extends Omit<EncodeTask, 'data' | 'buffer'> {
  readonly kind: 'ship';
  readonly spoolFd: number;
  readonly offset: number;
  readonly lengthBytes: number;
  readonly logFd: number;
  readonly position: number;
}

export interface Shipped {
  /** Less than was asked for: the spool ends here. */
  readonly readBytes: number;
  readonly used: number;
  readonly writtenBytes: number;
  readonly pending: readonly (PendingLine | null)[];
}

export interface LogOrder {
  readonly id: number;
  readonly task: LogTask;
}

export interface LogReply {
  readonly id: number;
  readonly shipped?: Shipped | undefined;
  readonly error?: { readonly message: string; readonly code: string } | undefined;
}
