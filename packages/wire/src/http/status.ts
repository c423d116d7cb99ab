import { type ErrorKind, messageOf, WharfError } from '@wharf/kit';

/** HTTP status of each error kind, as dockerd maps its own. */
export const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  'invalid-argument': 400,
  'not-found': 404,
  'already-exists': 409,
  conflict: 409,
  'failed-precondition': 409,
  'not-modified': 304,
  unauthenticated: 401,
  'permission-denied': 403,
  'resource-exhausted': 500,
  aborted: 500,
  unavailable: 503,
  'deadline-exceeded': 500,
  'not-implemented': 501,
  'data-loss': 500,
  internal: 500,
};

const statusOfCode: Readonly<Record<string, number>> = {
  'body-too-large': 413,
  'head-too-large': 431,
  'body-timeout': 408,
};

/** The status and the sentence a client gets for anything thrown. */
export function answerFor(error: unknown): { readonly status: number; readonly message: string } {
  if (!(error instanceof WharfError)) return { status: 500, message: messageOf(error) };
  const status = (error.code === undefined ? undefined : statusOfCode[error.code]) ?? STATUS_OF_KIND[error.kind];
  return { status, message: error.hint === undefined ? error.message : `${error.message} (${error.hint})` };
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Continue',
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  206: 'Partial Content',
  301: 'Moved Permanently',
  304: 'Not Modified',
  307: 'Temporary Redirect',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  408: 'Request Timeout',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Request Entity Too Large',
  414: 'Request URI Too Long',
  416: 'Requested Range Not Satisfiable',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  507: 'Insufficient Storage',
};

/** The reason phrase Go's net/http writes for a status. */
export function reasonPhrase(status: number): string {
  return REASONS[status] ?? `status code ${status}`;
}
