/** The closed set of error kinds. Transports map each kind to a status in one table of their own. */
export type ErrorKind =
  | 'invalid-argument'
  | 'not-found'
  | 'already-exists'
  | 'conflict'
  | 'failed-precondition'
  | 'not-modified'
  | 'unauthenticated'
  | 'permission-denied'
  | 'resource-exhausted'
  | 'aborted'
  | 'unavailable'
  | 'deadline-exceeded'
  | 'not-implemented'
  | 'data-loss'
  | 'internal';

export interface WharfErrorOptions {
  /** Stable machine-readable name of the case, where callers tell cases of one kind apart. */
  readonly code?: string;
  /** What the user can do about it; shown after the message. */
  readonly hint?: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/**
 * The one error class for everything a user or a client can meet. Broken invariants are `assert`s instead.
 *
 * The message says what was attempted, the quoted value, a colon, and what is the case:
 * `Cannot mount "/x" as overlay: lower directory is missing`. Texts that Docker clients match on come from
 * `@wharf/wire/docker/messages` and keep Docker's own form.
 */
export class WharfError extends Error {
  readonly kind: ErrorKind;
  readonly code: string | undefined;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(kind: ErrorKind, message: string, options: WharfErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'WharfError';
    this.kind = kind;
    this.code = options.code;
    this.hint = options.hint;
    this.details = options.details;
  }
}

/** True when `error` is a WharfError of that kind. */
export function isKind(error: unknown, kind: ErrorKind): error is WharfError {
  return error instanceof WharfError && error.kind === kind;
}

/** True when `error` carries that system error name (`ENOENT`, `EEXIST`, …), from Node or from our own syscalls. */
export function hasErrno(error: unknown, ...names: readonly string[]): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error)) return false;
  return typeof error.code === 'string' && names.includes(error.code);
}

/** The message of anything thrown, for logs and for messages that name a cause. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
