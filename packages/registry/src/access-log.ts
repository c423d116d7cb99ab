import { createWriteStream, type WriteStream } from 'node:fs';
import type { Call } from './http/call.ts';

/** Lines that wait for the file; beyond it lines are dropped, and the number of them is logged. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/**
 * One JSON line for each answer: `time`, `remote`, `user`, `method`, `path`, `status`, `bytes`, `ms`, `agent`. Lines are gathered and written
 * together; a file that was moved away is opened anew by `reopen()`.
 */
export class AccessLog {
  readonly #path: string;
  #stream: WriteStream;
  #lines: string[] = [];
  #dropped = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `-` is standard output. */
  constructor(path: string) {
    this.#path = path;
    this.#stream = this.#open();
  }

  write(call: Call): void {
    if (this.#stream.writableLength > MAX_WAITING_BYTES) {
      this.#dropped += 1;
      return;
    }
    const line = {
      time: new Date().toISOString(),
      remote: call.remoteAddress,
      user: call.identity.name,
      method: call.method,
      path: call.path.slice(0, 1024),
      status: call.status,
      bytes: call.sentBytes,
      ms: Math.round((performance.now() - call.startedAt) * 100) / 100,
      agent: call.headers['user-agent']?.slice(0, 256),
    };
    this.#lines.push(JSON.stringify(line));
    if (this.#lines.length >= 256) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), 200).unref();
  }

  reopen(): void {
    this.#flush();
    if (this.#path === '-') return;
    this.#stream.end();
    this.#stream = this.#open();
  }

  async close(): Promise<void> {
    this.#flush();
    if (this.#path === '-') return;
    await new Promise<void>((resolve) => this.#stream.end(resolve));
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#dropped > 0) this.#lines.push(JSON.stringify({ time: new Date().toISOString(), dropped: this.#dropped }));
    this.#dropped = 0;
    if (this.#lines.length === 0) return;
    this.#stream.write(`${this.#lines.join('\n')}\n`);
    this.#lines = [];
  }

  #open(): WriteStream {
    const stream =
      this.#path === '-'
        ? createWriteStream('', { fd: 1, autoClose: false })
        : createWriteStream(this.#path, { flags: 'a', mode: 0o640 });
    // A log that cannot be written must not end the registry.
    return stream.on('error', () => {});
  }
}
