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
  if (message !== undefined) throw new WharfError('unavailable', message);
}

const REFUSED = /unauthorized|access denied|authentication required|insufficient_scope/i;

/** The error with what to do, where a registry refused for want of a login. */
export function withLoginHint(error: unknown, host: string): unknown {
  if (!(error instanceof WharfError) || error.hint !== undefined || !REFUSED.test(error.message)) return error;
  const hint = `Is the name right? Then log in with \`wharf login${host === 'docker.io' ? '' : ` ${host}`}\`.`;
  return new WharfError(error.kind, error.message, { hint, cause: error });
}
