import { type ErrorKind, WharfError } from '@wharf/kit';

/**
 * What the owner of a worker says to it. One job at a time; `id` keeps what comes late for one job from the next. `ack`
 * counts output bytes the caller has taken; `memory` is what they were in, for more of them.
 */
export type Order =
  | { readonly do: 'run'; readonly id: number; readonly module: string; readonly job: string; readonly params: unknown }
  | { readonly do: 'input'; readonly id: number; readonly chunk: Uint8Array }
  | { readonly do: 'input-end'; readonly id: number; readonly error?: FlatError }
  | { readonly do: 'ack'; readonly id: number; readonly bytes: number; readonly memory?: ArrayBuffer }
  | { readonly do: 'abort'; readonly id: number };

/** What a worker answers. `ack` counts input bytes the job has taken; `done` or `failed` ends the job. */
export type Report =
  | { readonly say: 'output'; readonly chunk: Uint8Array<ArrayBuffer> }
  | { readonly say: 'note'; readonly note: unknown }
  | { readonly say: 'ack'; readonly bytes: number }
  | { readonly say: 'done'; readonly result: unknown }
  | { readonly say: 'failed'; readonly error: FlatError; readonly fatal: boolean };

/** What a job sees of its caller. */
export interface JobIo {
  /** The caller's input stream. Chunks are the job's own. */
  readonly input: AsyncIterable<Buffer>;
  /** Hands a chunk to the caller and gives its memory away; resolves when the next one may come. */
  write(chunk: Uint8Array<ArrayBuffer>): Promise<void>;
  /** Memory for a chunk that is to be written: what the caller has given back, or new. */
  memory(bytes: number): Uint8Array<ArrayBuffer>;
  /** Tells the caller something on the way (structured-clone-able). */
  note(note: unknown): void;
  /** Aborted when the caller lost interest. Jobs look at it between steps. */
  readonly signal: AbortSignal;
}

/** A function a worker can run, exported by name from a module. */
export type Job<P, R> = (params: P, io: JobIo) => Promise<R>;

/** An error as plain data. */
export interface FlatError {
  readonly message: string;
  readonly kind?: ErrorKind;
  readonly code?: string;
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly stack?: string;
}

export function flattenError(error: unknown): FlatError {
  if (error instanceof WharfError) {
    const { message, kind, code, hint, details } = error;
    return {
      message,
      kind,
      ...(code !== undefined && { code }),
      ...(hint !== undefined && { hint }),
      ...(details !== undefined && { details }),
    };
  }
  if (!(error instanceof Error)) return { message: String(error) };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return {
    message: error.message,
    ...(code !== undefined && { code }),
    ...(error.stack !== undefined && { stack: error.stack }),
  };
}

export function reviveError(flat: FlatError): Error {
  const { message, kind, code, hint, details } = flat;
  if (kind !== undefined) {
    return new WharfError(kind, message, {
      ...(code !== undefined && { code }),
      ...(hint !== undefined && { hint }),
      ...(details !== undefined && { details }),
    });
  }
  const error = Object.assign(new Error(message), code === undefined ? {} : { code });
  if (flat.stack !== undefined) error.stack = flat.stack;
  return error;
}
