/**
 * A counting semaphore, first come first served.
 *
 * Invariants: at most `permits` holders at a time; a waiter whose signal aborts leaves the line without a permit.
 */
export class Semaphore {
  #free: number;
  readonly #waiters: PromiseWithResolvers<void>[] = [];

  constructor(permits: number) {
    this.#free = permits;
  }

  get free(): number {
    return this.#free;
  }

  get waiting(): number {
    return this.#waiters.length;
  }

  /** Runs `work` holding one permit. Throws the signal's reason when it aborts while waiting. */
  async run<T>(work: () => Promise<T> | T, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<T> {
    await this.#acquire(options.signal);
    try {
      return await work();
    } finally {
      const next = this.#waiters.shift();
      if (next === undefined) this.#free += 1;
      else next.resolve();
    }
  }

  async #acquire(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const waiter = Promise.withResolvers<void>();
    const abort = () => {
      const index = this.#waiters.indexOf(waiter);
      if (index < 0) return;
      this.#waiters.splice(index, 1);
      waiter.reject(signal?.reason);
    };
    this.#waiters.push(waiter);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await waiter.promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }
}
