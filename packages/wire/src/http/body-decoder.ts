import { WharfError } from '@wharf/kit/errors';
import { HTTP_LIMITS } from './limits.ts';

/** Finds the end of a message body in the bytes of a connection. */
export interface BodyDecoder {
  readonly done: boolean;
  /** Hands the body's bytes in `chunk` to `emit`; returns how many bytes of `chunk` belong to the body and its framing. */
  push(chunk: Buffer, emit: (piece: Buffer) => void): number;
}

/** A body of known length (RFC 9112, section 6.2). */
export class LengthDecoder implements BodyDecoder {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  get done(): boolean {
    return this.#left === 0;
  }

  push(chunk: Buffer, emit: (piece: Buffer) => void): number {
    const take = Math.min(this.#left, chunk.length);
    this.#left -= take;
    if (take > 0) emit(take === chunk.length ? chunk : chunk.subarray(0, take));
    return take;
  }
}

const LF = 10;

/** A chunked body (RFC 9112, section 7.1). Extensions and trailers are read and dropped. */
export class ChunkedDecoder implements BodyDecoder {
  #state: 'size' | 'data' | 'data-end' | 'trailer' | 'done' = 'size';
  #line = '';
  #left = 0;
  #trailerBytes = 0;

  get done(): boolean {
    return this.#state === 'done';
  }

  push(chunk: Buffer, emit: (piece: Buffer) => void): number {
    let at = 0;
    while (at < chunk.length && this.#state !== 'done') {
      if (this.#state === 'data') {
        const take = Math.min(this.#left, chunk.length - at);
        emit(chunk.subarray(at, at + take));
        this.#left -= take;
        at += take;
        if (this.#left === 0) this.#state = 'data-end';
      } else {
        at = this.#readLine(chunk, at);
      }
    }
    return at;
  }

  #readLine(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(LF, at);
    const stop = end < 0 ? chunk.length : end + 1;
    this.#line += chunk.toString('latin1', at, stop);
    if (this.#line.length > HTTP_LIMITS.chunkLineBytes) throw malformed();
    if (end >= 0) {
      const line = this.#line;
      this.#line = '';
      if (!line.endsWith('\r\n')) throw malformed();
      this.#endLine(line.slice(0, -2));
    }
    return stop;
  }

  #endLine(line: string): void {
    if (this.#state === 'size') {
      const size = /^([0-9a-fA-F]{1,12})[ \t]*(?:;.*)?$/.exec(line)?.[1];
      if (size === undefined) throw malformed();
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? 'trailer' : 'data';
    } else if (this.#state === 'data-end') {
      if (line !== '') throw malformed();
      this.#state = 'size';
    } else {
      this.#trailerBytes += line.length + 2;
      if (this.#trailerBytes > HTTP_LIMITS.trailerBytes) throw malformed();
      if (line === '') this.#state = 'done';
    }
  }
}

function malformed(): WharfError {
  return new WharfError('invalid-argument', 'Bad Request: malformed chunked body');
}
