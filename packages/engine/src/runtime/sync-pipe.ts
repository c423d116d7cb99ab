import { Socket } from 'node:net';
import { messageOf, WharfError } from '@wharf/kit';
import { SYNC_PIPE_LIMIT_BYTES } from './limits.ts';

/** One line conmon writes: a pid or an exit code, or a negative number with the runtime's words. */
export interface SyncMessage {
  readonly data: number;
  readonly message: string | undefined;
}

/** Parses one line of conmon's sync or attach pipe (conmon `parent_pipe_fd.c`). Throws `internal`. */
export function parseSyncMessage(line: string): SyncMessage {
  let document: unknown;
  try {
    document = JSON.parse(line);
  } catch (error) {
    throw new WharfError(
      'internal',
      `Cannot read the monitor's answer ${JSON.stringify(line.slice(0, 200))}: not JSON`,
      {
        cause: error,
      },
    );
  }
  if (typeof document === 'object' && document !== null) {
    const { data, pid, exit_code: exitCode, message } = document as Record<string, unknown>;
    const value = data ?? pid ?? exitCode;
    if (typeof value === 'number') return { data: value, message: typeof message === 'string' ? message : undefined };
  }
  throw new WharfError(
    'internal',
    `Cannot read the monitor's answer ${JSON.stringify(line.slice(0, 200))}: no number in it`,
  );
}

/** The reading end of a pipe conmon writes lines of JSON to. Owns the descriptor. */
export class SyncPipe {
  readonly #socket: Socket;
  readonly #lines: string[] = [];
  readonly #waiting: PromiseWithResolvers<SyncMessage | undefined>[] = [];
  #rest = '';
  #ended = false;

  constructor(fd: number) {
    this.#socket = new Socket({ fd, readable: true, writable: false });
    this.#socket.setEncoding('utf8');
    this.#socket.on('data', (text: string) => this.#take(text));
    this.#socket.on('error', () => this.#end());
    this.#socket.on('close', () => this.#end());
    this.#socket.on('end', () => this.#end());
  }

  /** The next message; `undefined` once the monitor has closed its end. Throws `internal` on a broken line. */
  next(): Promise<SyncMessage | undefined> {
    const line = this.#lines.shift();
    if (line !== undefined) return parseLater(line);
    if (this.#ended) return Promise.resolve(undefined);
    const waiter = Promise.withResolvers<SyncMessage | undefined>();
    this.#waiting.push(waiter);
    return waiter.promise;
  }

  close(): void {
    this.#socket.destroy();
    this.#end();
  }

  #take(text: string): void {
    this.#rest += text;
    if (this.#rest.length > SYNC_PIPE_LIMIT_BYTES) {
      this.close();
      return;
    }
    for (let at = this.#rest.indexOf('\n'); at >= 0; at = this.#rest.indexOf('\n')) {
      const line = this.#rest.slice(0, at);
      this.#rest = this.#rest.slice(at + 1);
      const waiter = this.#waiting.shift();
      if (waiter === undefined) this.#lines.push(line);
      else parseLater(line).then(waiter.resolve, waiter.reject);
    }
  }

  #end(): void {
    this.#ended = true;
    for (const waiter of this.#waiting.splice(0)) waiter.resolve(undefined);
  }
}

async function parseLater(line: string): Promise<SyncMessage> {
  try {
    return parseSyncMessage(line);
  } catch (error) {
    throw error instanceof WharfError ? error : new WharfError('internal', messageOf(error), { cause: error });
  }
}
