import { write } from 'node:fs';
import { hasErrno, WharfError } from '@wharf/kit/errors';
import { errnoText } from '../values/file-errors.ts';

const RETRY_MS = 5;
const SIGPIPE_STATUS = 128 + 13;

/** Takes output, one piece after the other; resolves when the piece is out. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

/**
 * Writes to a descriptor from Node's own threads: a slow reader keeps neither signals nor input waiting, and what this promises to have
 * written is written, whatever ends the program next. A reader that left ends the program, as SIGPIPE would; `pipeErrors` makes it an error, as
 * it is for docker where it has taken over all signals.
 */
export function descriptorSink(fd: number, { pipeErrors = false }: { readonly pipeErrors?: boolean } = {}): Sink {
  return async (bytes) => {
    for (let at = 0; at < bytes.length; ) at += await writeSome(fd, bytes, at, pipeErrors);
  };
}

function writeSome(fd: number, bytes: Uint8Array, at: number, pipeErrors: boolean): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, at, bytes.length - at, null, (error, written) => {
      if (error === null) resolve(written);
      else if (!pipeErrors && hasErrno(error, 'EPIPE')) process.exit(SIGPIPE_STATUS);
      // The descriptor is shared with somebody who made it non-blocking.
      else if (hasErrno(error, 'EAGAIN')) setTimeout(() => resolve(0), RETRY_MS);
      else reject(failure(fd, error));
    });
  });
}

function failure(fd: number, error: unknown): WharfError {
  const name = fd === 1 ? '/dev/stdout' : '/dev/stderr';
  return new WharfError('aborted', `write ${name}: ${errnoText(error)}`, { cause: error });
}
