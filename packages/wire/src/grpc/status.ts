import { type ErrorKind, messageOf, WharfError } from '@wharf/kit';
import { decode, encode, message } from './protobuf.ts';

/** gRPC's status codes (grpc, statuscodes.md). */
export const GRPC = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

const CODES: Readonly<Record<ErrorKind, number>> = {
  'invalid-argument': GRPC.INVALID_ARGUMENT,
  'not-found': GRPC.NOT_FOUND,
  'already-exists': GRPC.ALREADY_EXISTS,
  conflict: GRPC.ABORTED,
  'failed-precondition': GRPC.UNKNOWN,
  'not-modified': GRPC.OK,
  unauthenticated: GRPC.UNAUTHENTICATED,
  'permission-denied': GRPC.PERMISSION_DENIED,
  'resource-exhausted': GRPC.RESOURCE_EXHAUSTED,
  aborted: GRPC.CANCELLED,
  unavailable: GRPC.UNAVAILABLE,
  'deadline-exceeded': GRPC.DEADLINE_EXCEEDED,
  'not-implemented': GRPC.UNIMPLEMENTED,
  'data-loss': GRPC.DATA_LOSS,
  internal: GRPC.UNKNOWN,
};

/** A part of an error that programs read (google.rpc.Status, `details`). */
export interface GrpcDetail {
  readonly type_url: string;
  readonly value: Uint8Array;
}

/** An error with a status of gRPC's: a peer's, or one to give a peer. */
export class GrpcError extends WharfError {
  readonly status: number;
  readonly grpcDetails: readonly GrpcDetail[];

  constructor(
    status: number,
    message: string,
    options: { readonly details?: readonly GrpcDetail[]; readonly cause?: unknown } = {},
  ) {
    super(kindOf(status), message, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'GrpcError';
    this.status = status;
    this.grpcDetails = options.details ?? [];
  }
}

const Status = message('google.rpc.Status', {
  1: ['code', 'int'],
  2: ['message', 'string'],
  3: ['details', [message('google.protobuf.Any', { 1: ['type_url', 'string'], 2: ['value', 'bytes'] })]],
});

/** The parts of an error that came with it (`grpc-status-details-bin`); none where they make no sense. */
export function detailsOf(header: unknown): readonly GrpcDetail[] {
  if (typeof header !== 'string') return [];
  try {
    return decode<{ readonly details: readonly GrpcDetail[] }>(Status, Buffer.from(header, 'base64')).details;
  } catch {
    // They are there to draw a better picture of an error that is known already.
    return [];
  }
}

/** The status code that stands for an error. */
export function grpcStatusOf(error: unknown): number {
  if (error instanceof GrpcError) return error.status;
  return error instanceof WharfError ? CODES[error.kind] : GRPC.UNKNOWN;
}

function kindOf(status: number): ErrorKind {
  return (Object.entries(CODES).find(([, code]) => code === status)?.[0] as ErrorKind | undefined) ?? 'internal';
}

/** An error as a message, `google.rpc.Status`. */
export function errorStatus(error: unknown): Buffer {
  const details = error instanceof GrpcError ? error.grpcDetails : [];
  return encode(Status, { code: grpcStatusOf(error), message: messageOf(error), details });
}

/** The trailers that end a call with an error; texts are percent-encoded as the protocol asks. */
export function errorTrailers(error: unknown): Readonly<Record<string, string>> {
  const code = grpcStatusOf(error);
  const text = messageOf(error);
  const details = error instanceof GrpcError ? error.grpcDetails : [];
  const status = errorStatus(error).toString('base64');
  return {
    'grpc-status': String(code),
    'grpc-message': percentEncode(text),
    ...(details.length > 0 ? { 'grpc-status-details-bin': status } : {}),
  };
}

/** `grpc-message`: printable ASCII but `%` stands for itself. */
export function percentEncode(text: string): string {
  return Array.from(Buffer.from(text, 'utf8'), (byte) =>
    byte >= 0x20 && byte <= 0x7e && byte !== 0x25
      ? String.fromCharCode(byte)
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}

export function percentDecode(text: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = /^%[0-9a-fA-F]{2}/.test(text.slice(at, at + 3))
      ? Number.parseInt(text.slice(at + 1, at + 3), 16)
      : undefined;
    bytes.push(code ?? text.charCodeAt(at));
    if (code !== undefined) at += 2;
  }
  return Buffer.from(bytes).toString('utf8');
}
