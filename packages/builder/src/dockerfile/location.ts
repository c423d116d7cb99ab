import { WharfError } from '@wharf/kit';

/** Lines of a Dockerfile, counted from 1, both ends included. */
export interface LineRange {
  readonly start: number;
  readonly end: number;
}

/** A fault of a Dockerfile and the lines it lies on, so that a client can show them. */
export class DockerfileError extends WharfError {
  readonly location: LineRange | undefined;

  constructor(message: string, location?: LineRange, options: { readonly cause?: unknown } = {}) {
    super('invalid-argument', message, options);
    this.name = 'DockerfileError';
    this.location = location;
  }
}

/** The same error with a location, unless it bears one already. Anything but an Error is wrapped. */
export function withLocation(error: unknown, location: LineRange): Error {
  if (error instanceof DockerfileError && error.location !== undefined) return error;
  if (error instanceof DockerfileError) return new DockerfileError(error.message, location);
  return error instanceof Error ? error : new DockerfileError(String(error), location);
}
