import { PATIENCE_MS, QUIET_MS } from './limits.ts';

/** Gathers what comes in bursts (an editor that saves many files) and hands it on, one batch at a time. */
export class Batches {
  readonly #handle: (paths: readonly string[]) => Promise<void>;
  #waiting = new Set<string>();
  #since: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isClosed = false;

  /** `handle` must not reject. */
  constructor(handle: (paths: readonly string[]) => Promise<void>) {
    this.#handle = handle;
  }

  add(paths: readonly string[]): void {
    for (const path of paths) this.#waiting.add(path);
    this.#since ??= performance.now();
    this.#plan();
  }

  /** Forgets what waits; resolves when what is being handled is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  #plan(): void {
    if (this.#isClosed || this.#running !== undefined || this.#since === undefined) return;
    const left = this.#since + PATIENCE_MS - performance.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#flush(), Math.max(0, Math.min(QUIET_MS, left)));
  }

  #flush(): void {
    const paths = [...this.#waiting];
    this.#waiting = new Set();
    this.#since = undefined;
    this.#running = this.#handle(paths).finally(() => {
      this.#running = undefined;
      this.#plan();
    });
  }
}
