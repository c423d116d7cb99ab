import { type ErrorKind, WharfError } from '@wharf/kit/errors';

/** The daemon answered with an error. `message` is docker's sentence, `daemonMessage` what the daemon said. */
export class DaemonError extends WharfError {
  readonly status: number;
  readonly daemonMessage: string;

  constructor(
    status: number,
    daemonMessage: string,
    options: { readonly message?: string; readonly hint?: string } = {},
  ) {
    super(
      kindOfStatus(status),
      options.message ?? `Error response from daemon: ${daemonMessage}`,
      options.hint === undefined ? {} : { hint: options.hint },
    );
    this.name = 'DaemonError';
    this.status = status;
    this.daemonMessage = daemonMessage;
  }
}

/** Nobody answers at the daemon's address. */
export class ConnectionError extends WharfError {
  readonly host: string;

  constructor(
    host: string,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown; readonly kind?: ErrorKind } = {},
  ) {
    const { kind = 'unavailable', hint, cause } = options;
    super(kind, message, { cause, ...(hint === undefined ? {} : { hint }) });
    this.name = 'ConnectionError';
    this.host = host;
  }
}

/** True for an answer of the daemon with that status. */
export function isStatus(error: unknown, status: number): error is DaemonError {
  return error instanceof DaemonError && error.status === status;
}

const KINDS: Readonly<Record<number, ErrorKind>> = {
  304: 'not-modified',
  400: 'invalid-argument',
  401: 'unauthenticated',
  403: 'permission-denied',
  404: 'not-found',
  409: 'conflict',
  412: 'failed-precondition',
  429: 'resource-exhausted',
  501: 'not-implemented',
  503: 'unavailable',
};

function kindOfStatus(status: number): ErrorKind {
  return KINDS[status] ?? (status < 500 ? 'invalid-argument' : 'internal');
}
