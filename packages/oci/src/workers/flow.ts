/** A byte counter with a ceiling: `take` waits while too much is under way, `give` lets it go on. */
export class Window {
  readonly #limit: number;
  #used = 0;
  #waiting: PromiseWithResolvers<void> | undefined;
  #error: unknown;

  constructor(limitBytes: number) {
    this.#limit = limitBytes;
  }

  /** Books bytes; resolves when there is room for more. Rejects once `fail` was called. One caller at a time. */
  async take(bytes: number): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    this.#used += bytes;
    if (this.#used < this.#limit) return;
    this.#waiting = Promise.withResolvers();
    await this.#waiting.promise;
  }

  give(bytes: number): void {
    this.#used -= bytes;
    if (this.#used >= this.#limit) return;
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  /** Makes every waiter, now and later, fail with `error`. */
  fail(error: unknown): void {
    this.#error = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
