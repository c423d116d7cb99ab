import { WharfError } from '@wharf/kit/errors';

/** A line of the progress of a pull, push, load or import (Engine API, "ImageCreate"). */
export interface ProgressMessage {
  readonly status?: string;
  readonly id?: string;
  readonly stream?: string;
  readonly progressDetail?: ProgressDetail;
  /** The progress as a text, from daemons of old. */
  readonly progress?: string;
  readonly from?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
  readonly aux?: unknown;
}

interface ProgressDetail {
  readonly current?: number;
  readonly total?: number;
  /** What is counted, where it is not bytes. */
  readonly units?: string;
}

/** Throws what the daemon says went wrong while the answer was under way. */
export function throwIfFailed({ error, errorDetail }: ProgressMessage): void {
  const message = errorDetail?.message ?? error;
  if (message === undefined) return;
  const isRefused = /unauthorized|access denied|authentication required/i.test(message);
  throw new WharfError('unavailable', message, isRefused ? { hint: LOGIN_HINT } : {});
}

export const LOGIN_HINT = 'Log in with `wharf login REGISTRY`, or look whether the name is right.';
