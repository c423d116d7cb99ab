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

/** Where errors of other rooms lie, which keep their own class. */
const places = new WeakMap<Error, LineRange>();

/** The same error with a location, unless it bears one already. Anything but an Error is wrapped. */
export function withLocation(error: unknown, location: LineRange): Error {
  if (error instanceof DockerfileError) {
    return error.location === undefined ? new DockerfileError(error.message, location) : error;
  }
  if (!(error instanceof Error)) return new DockerfileError(String(error), location);
  if (!places.has(error)) places.set(error, location);
  return error;
}

/** The lines that an error was given, whatever it is. */
export function locationOf(error: unknown): LineRange | undefined {
  if (error instanceof DockerfileError) return error.location;
  return error instanceof Error ? places.get(error) : undefined;
}
