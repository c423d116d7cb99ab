/**
 * One first-come-first-served mutex per key.
 *
 * Invariants:
 * - at most one holder per key at a time; waiters run in the order they asked;
 * - a key without holder or waiter takes no memory;
 * - it is not re-entrant: asking for a key one already holds waits for ever.
 */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs `work` while holding `key`, and releases it however `work` ends. */
  async run<T>(key: string, work: () => Promise<T> | T): Promise<T> {
    const before = this.#tails.get(key);
    const { promise, resolve } = Promise.withResolvers<void>();
    const tail = before ? before.then(() => promise) : promise;
    this.#tails.set(key, tail);
    if (before) await before;
    try {
      return await work();
    } finally {
      resolve();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }

  /** True while somebody holds `key`. */
  isHeld(key: string): boolean {
    return this.#tails.has(key);
  }
}
