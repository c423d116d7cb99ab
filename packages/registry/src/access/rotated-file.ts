import { appendFile, rename, stat } from 'node:fs/promises';
import { type Logger, messageOf } from '@wharf/kit';

const MAX_BYTES = 64 * 1024 * 1024;
const KEPT = 4;
const MAX_WAITING = 50_000;

/** Lines in a file that is put aside as `.1` … `.4` when it is full, written together, a few times a second. */
export class RotatedFile {
  readonly #path: string;
  readonly #log: Logger;
  #waiting: string[] = [];
  #dropped = 0;
  #bytes: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, log: Logger) {
    this.#path = path;
    this.#log = log;
  }

  write(line: string): void {
    if (this.#waiting.length >= MAX_WAITING) this.#dropped += 1;
    else this.#waiting.push(line);
    this.#timer ??= setTimeout(() => this.#flush(), 200).unref();
  }

  /** Somebody has moved the file away. */
  reopen(): void {
    this.#bytes = undefined;
  }

  async close(): Promise<void> {
    this.#flush();
    await this.#writing;
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const text = `${this.#waiting.join('\n')}\n`;
    this.#waiting = [];
    if (this.#dropped > 0) this.#log.error({ path: this.#path, lines: this.#dropped }, 'lines were lost');
    this.#dropped = 0;
    this.#writing = this.#writing
      .then(() => this.#append(text))
      .catch((error: unknown) => {
        this.#log.error({ path: this.#path, error: messageOf(error) }, 'lines could not be written');
      });
  }

  async #append(text: string): Promise<void> {
    this.#bytes ??= (await stat(this.#path).catch(() => undefined))?.size ?? 0;
    if (this.#bytes > MAX_BYTES) {
      for (let number = KEPT - 1; number >= 1; number -= 1)
        await rename(`${this.#path}.${number}`, `${this.#path}.${number + 1}`).catch(() => {});
      await rename(this.#path, `${this.#path}.1`);
      this.#bytes = 0;
    }
    await appendFile(this.#path, text, { mode: 0o640 });
    this.#bytes += Buffer.byteLength(text);
  }
}
