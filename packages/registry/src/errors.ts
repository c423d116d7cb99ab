import { type ErrorKind, messageOf, WharfError } from '@wharf/kit';

interface Case {
  readonly status: number;
  readonly kind: ErrorKind;
}

/** The specification's error codes (distribution-spec, "Error Codes") with the status each usually has. */
const CODES = {
  BLOB_UNKNOWN: { status: 404, kind: 'not-found' },
  BLOB_UPLOAD_INVALID: { status: 400, kind: 'invalid-argument' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, kind: 'not-found' },
  DIGEST_INVALID: { status: 400, kind: 'invalid-argument' },
  MANIFEST_BLOB_UNKNOWN: { status: 404, kind: 'not-found' },
  MANIFEST_INVALID: { status: 400, kind: 'invalid-argument' },
  MANIFEST_UNKNOWN: { status: 404, kind: 'not-found' },
  NAME_INVALID: { status: 400, kind: 'invalid-argument' },
  NAME_UNKNOWN: { status: 404, kind: 'not-found' },
  SIZE_INVALID: { status: 400, kind: 'invalid-argument' },
  TAG_INVALID: { status: 400, kind: 'invalid-argument' },
  UNAUTHORIZED: { status: 401, kind: 'unauthenticated' },
  DENIED: { status: 403, kind: 'permission-denied' },
  UNSUPPORTED: { status: 405, kind: 'not-implemented' },
  TOOMANYREQUESTS: { status: 429, kind: 'resource-exhausted' },
  UNKNOWN: { status: 500, kind: 'internal' },
} as const satisfies Record<string, Case>;

export type RegistryCode = keyof typeof CODES;

export interface RegistryErrorOptions {
  /** When it is not the code's usual one. */
  readonly status?: number;
  /** What a client may use to see what is wrong; becomes `detail`. */
  readonly detail?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An error that is answered with that code. Extensions and guards throw these too. */
export function registryError(code: RegistryCode, message: string, options: RegistryErrorOptions = {}): WharfError {
  const { status, kind } = CODES[code];
  return new WharfError(kind, message, {
    code: `registry:${code}`,
    details: { status: options.status ?? status, detail: options.detail, headers: options.headers },
    cause: options.cause,
  });
}

/** An answer to an error: status, headers and the body of distribution-spec, "Error Codes". */
export interface ErrorAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: { readonly errors: readonly { code: string; message: string; detail?: unknown }[] };
}

const STATUS_OF_WIRE_CODE: Readonly<Record<string, number>> = { 'head-too-large': 431, 'body-too-large': 413 };

/** What a client is told of anything thrown. Causes stay inside. */
export function answerTo(error: unknown): ErrorAnswer {
  if (!(error instanceof WharfError)) return plain(500, 'UNKNOWN', 'internal error');
  const code = error.code?.startsWith('registry:') ? error.code.slice('registry:'.length) : undefined;
  if (code !== undefined) {
    const { status, detail, headers } = (error.details ?? {}) as RegistryErrorOptions;
    const entry = { code, message: error.message, ...(detail === undefined ? {} : { detail }) };
    return { status: status ?? 500, headers: headers ?? {}, body: { errors: [entry] } };
  }
  const status = error.code === undefined ? undefined : STATUS_OF_WIRE_CODE[error.code];
  if (status !== undefined) return plain(status, 'SIZE_INVALID', error.message);
  if (error.kind === 'invalid-argument') return plain(400, 'UNSUPPORTED', error.message);
  if (error.kind === 'resource-exhausted') return plain(507, 'UNKNOWN', 'no space left in the registry');
  if (error.kind === 'unavailable') return { ...plain(503, 'UNKNOWN', error.message), headers: { 'Retry-After': '2' } };
  return plain(500, 'UNKNOWN', 'internal error');
}

function plain(status: number, code: RegistryCode, message: string): ErrorAnswer {
  return { status, headers: {}, body: { errors: [{ code, message }] } };
}

/** The registry's code of an error; `undefined` for any other. */
export function codeOf(error: unknown): RegistryCode | undefined {
  if (!(error instanceof WharfError) || error.code?.startsWith('registry:') !== true) return undefined;
  return error.code.slice('registry:'.length) as RegistryCode;
}

/** What the log says of an error, with its causes. */
export function explain(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? `: ${messageOf(error.cause)}` : '';
  return `${messageOf(error)}${cause}`;
}
