import { WharfError } from '@wharf/kit/errors';

/** A value that makes no sense, in docker's words: scripts and people know them. */
export function refuse(message: string): WharfError {
  return new WharfError('invalid-argument', message);
}
