import { fstatSync, writeSync } from 'node:fs';
import { hasErrno } from '@wharf/kit/errors';

const RETRY_MS = 2;

/**
 * Standard output or error. Writes are done when `write()` returns, so nothing is lost whatever ends the program, and neither needs
 * Node's streams, whose set-up costs a short program milliseconds.
 */
export class Output {
  readonly fd: 1 | 2;
  #isTerminal: boolean | undefined;

  constructor(fd: 1 | 2) {
    this.fd = fd;
  }

  get isTerminal(): boolean {
    // Pipes and files are known without node:tty, which is 1 ms.
    this.#isTerminal ??= isDevice(this.fd) && process.getBuiltinModule('node:tty').isatty(this.fd);
    return this.#isTerminal;
  }

  /** Columns of the terminal; `undefined` when it is none. */
  get columns(): number | undefined {
    return this.isTerminal ? this.stream.columns : undefined;
  }

  /** Node's stream on the same descriptor, for pipelines. What went through `write()` before stands before its bytes. */
  get stream(): NodeJS.WriteStream {
    return this.fd === 1 ? process.stdout : process.stderr;
  }

  /** Blocks while the reader is slow. A reader that left ends the program, as SIGPIPE would. */
  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(this.fd, bytes, at);
      } catch (error) {
        if (hasErrno(error, 'EPIPE')) process.exit(128 + 13);
        // The descriptor is shared with somebody who made it non-blocking.
        if (!hasErrno(error, 'EAGAIN')) throw error;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MS);
      }
    }
  }

  line(text = ''): void {
    this.write(`${text}\n`);
  }
}

function isDevice(fd: number): boolean {
  try {
    return fstatSync(fd).isCharacterDevice();
  } catch {
    // Closed.
    return false;
  }
}
