import { spawn } from 'node:child_process';
import { closeSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import { openPty, setWindowSize } from '@wharf/linux/pty';

const DEFAULT_SIZE = { rows: 24, columns: 80 };
const WAIT_MS = 15_000;

/** A program on a terminal of its own, as a person has it before them. */
export class Terminal implements AsyncDisposable {
  readonly #master: number;
  readonly #screen: ReadStream;
  readonly #waiting = new Set<() => void>();
  readonly #exit: Promise<number>;
  #text = '';
  #seen = 0;
  #kill: () => void;

  constructor(
    command: readonly string[],
    {
      env,
      size = DEFAULT_SIZE,
      cwd,
    }: { readonly env: NodeJS.ProcessEnv; readonly size?: typeof DEFAULT_SIZE; readonly cwd?: string },
  ) {
    const { master, slave } = openPty();
    setWindowSize(master, size);
    this.#master = master;
    this.#screen = new ReadStream(master);
    this.#screen.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('utf8');
      for (const wake of this.#waiting) wake();
    });
    // The end of the last program on the terminal is told as EIO.
    this.#screen.on('error', () => undefined);
    // The terminal is to be the program's own, so that ctrl-C and changes of its size reach it.
    const child = spawn('setsid', ['--ctty', ...command], {
      stdio: [slave, slave, slave],
      env: { ...process.env, TERM: 'xterm', ...env },
      ...(cwd === undefined ? {} : { cwd }),
    });
    closeSync(slave);
    this.#kill = () => child.kill('SIGKILL');
    this.#exit = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)));
    });
  }

  /** Everything that was shown. */
  get text(): string {
    return this.#text;
  }

  type(keys: string): void {
    writeSync(this.#master, keys);
  }

  resize(size: typeof DEFAULT_SIZE): void {
    setWindowSize(this.#master, size);
  }

  /** Waits until something is shown that was not waited for before. */
  async sees(wanted: string | RegExp): Promise<void> {
    const deadline = AbortSignal.timeout(WAIT_MS);
    for (;;) {
      const rest = this.#text.slice(this.#seen);
      const at = typeof wanted === 'string' ? rest.indexOf(wanted) : rest.search(wanted);
      if (at >= 0) {
        const length = typeof wanted === 'string' ? wanted.length : (wanted.exec(rest)?.[0].length ?? 0);
        this.#seen += at + length;
        return;
      }
      if (deadline.aborted) throw new Error(`never saw ${String(wanted)} in ${JSON.stringify(this.#text)}`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#waiting.delete(wake);
          deadline.removeEventListener('abort', wake);
          resolve();
        };
        this.#waiting.add(wake);
        deadline.addEventListener('abort', wake);
      });
    }
  }

  /** The program's status. */
  async exit(): Promise<number> {
    const timer = setTimeout(this.#kill, WAIT_MS);
    const code = await this.#exit;
    clearTimeout(timer);
    return code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kill();
    await this.#exit.catch(() => undefined);
    this.#screen.destroy();
  }
}
