import { type ErrorKind, WharfError } from '@wharf/kit';

/** One entry of a registry's error document (distribution-spec, "Error Codes"). */
export interface RegistryFault {
  readonly code: string;
  readonly message: string;
  readonly detail: string;
}

const TEXTS: Readonly<Record<string, string>> = {
  UNAUTHORIZED: 'authentication required',
  DENIED: 'requested access to the resource is denied',
  UNSUPPORTED: 'The operation is unsupported.',
  TOOMANYREQUESTS: 'too many requests',
  UNAVAILABLE: 'service unavailable',
  NAME_UNKNOWN: 'repository name not known to registry',
  NAME_INVALID: 'invalid repository name',
  MANIFEST_UNKNOWN: 'manifest unknown',
  BLOB_UNKNOWN: 'blob unknown to registry',
};

const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: 'invalid-argument',
  401: 'unauthenticated',
  403: 'permission-denied',
  404: 'not-found',
  405: 'not-implemented',
  409: 'conflict',
  413: 'resource-exhausted',
  429: 'resource-exhausted',
  501: 'not-implemented',
  507: 'resource-exhausted',
};

const MAX_FAULTS = 16;
const MAX_TEXT = 2000;

/** Reads an error document; none when it is not one. */
export function parseFaults(body: string): readonly RegistryFault[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return [];
  }
  const errors = isRecord(parsed) ? parsed['errors'] : undefined;
  if (!Array.isArray(errors)) {
    const details = isRecord(parsed) ? parsed['details'] : undefined;
    return typeof details === 'string' && details !== '' ? [{ code: '', message: '', detail: clip(details) }] : [];
  }
  return errors
    .slice(0, MAX_FAULTS)
    .filter(isRecord)
    .map((each) => ({
      code: text(each['code']),
      message: clip(text(each['message'])),
      detail: clip(text(each['detail'])),
    }));
}

/**
 * The error of an answer the registry refused with. `details.status` is its HTTP status, `code` the first of the document's codes.
 */
export function registryError(options: {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  readonly body: string;
}): WharfError {
  const { method, url, status, body } = options;
  const faults = parseFaults(body);
  const kind = KINDS[status] ?? (status >= 500 ? 'unavailable' : 'internal');
  const code = faults[0]?.code || `status-${status}`;
  const details = { status, faults };
  if (faults.length > 0) {
    return new WharfError(kind, `error from registry: ${faults.map((each) => shown(each, status)).join('\n')}`, {
      code,
      details,
    });
  }
  const { origin, pathname } = url;
  const message = `unexpected status from ${method} request to ${origin}${pathname}: ${status} ${statusText(status)}`;
  return new WharfError(kind, message.trimEnd(), { code, details });
}

function shown({ code, message, detail }: RegistryFault, status: number): string {
  const fallback =
    TEXTS[code] ?? (status === 401 ? TEXTS['UNAUTHORIZED'] : status === 403 ? TEXTS['DENIED'] : 'unknown error');
  const head = message || fallback;
  return detail === '' ? String(head) : `${head} - ${detail}`;
}

/** The status of an error that came from a registry. */
export function statusOf(error: unknown): number | undefined {
  const status = error instanceof WharfError ? error.details?.['status'] : undefined;
  return typeof status === 'number' ? status : undefined;
}

/** What the registry's document says of an error that came from it. */
export function faultsOf(error: unknown): readonly RegistryFault[] {
  const faults = error instanceof WharfError ? error.details?.['faults'] : undefined;
  return Array.isArray(faults) ? (faults as readonly RegistryFault[]) : [];
}

function statusText(status: number): string {
  // `getBuiltinModule`: importing node:http from ESM loads all of undici.
  return process.getBuiltinModule('node:http').STATUS_CODES[status] ?? '';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function clip(value: string): string {
  return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
}
