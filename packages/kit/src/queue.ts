import { WharfError } from './errors.ts';

/**
 * A bounded first-in-first-out queue with one or more waiting takers.
 *
 * Invariants:
 * - it never holds more than `capacity` items; `push` into a full one returns false and keeps nothing;
 * - items come out in the order they went in, each once;
 * - after `close` what is queued still comes out, then every taker gets the end (or the close error).
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly capacity: number;
  #items: T[] = [];
  #head = 0;
  readonly #takers: PromiseWithResolvers<IteratorResult<T, undefined>>[] = [];
  readonly #room: PromiseWithResolvers<void>[] = [];
  #closed = false;
  #error: unknown;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Adds an item; false when the queue is full or closed. */
  push(item: T): boolean {
    if (this.#closed) return false;
    const taker = this.#takers.shift();
    if (taker !== undefined) {
      taker.resolve({ done: false, value: item });
      return true;
    }
    if (this.length >= this.capacity) return false;
    this.#items.push(item);
    return true;
  }

  /** Adds an item, waiting for room. Throws the signal's reason, or `aborted` once the queue is closed. */
  async put(item: T, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    while (!this.push(item)) {
      if (this.#closed) throw new WharfError('aborted', 'Cannot put an item into the queue: it is closed');
      await this.#waitForRoom(options.signal);
    }
  }

  /** Takes the next item, waiting for one; `undefined` at the end. Throws what `close` was given. */
  async take(): Promise<T | undefined> {
    const result = await this.#next();
    return result.done === true ? undefined : result.value;
  }

  /** No more items come. Queued ones are still delivered; then the end, or `error` where given. Idempotent. */
  close(error?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    for (const taker of this.#takers.splice(0)) {
      if (error === undefined) taker.resolve({ done: true, value: undefined });
      else taker.reject(error);
    }
    for (const waiter of this.#room.splice(0)) waiter.resolve();
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return {
      next: () => this.#next(),
      return: async () => ({ done: true, value: undefined }),
    };
  }

  #next(): Promise<IteratorResult<T, undefined>> {
    if (this.length > 0) {
      const value = this.#items[this.#head] as T; // length > 0, so there is one
      this.#head += 1;
      if (this.#head > 64 && this.#head * 2 > this.#items.length) {
        this.#items = this.#items.slice(this.#head);
        this.#head = 0;
      }
      this.#room.shift()?.resolve();
      return Promise.resolve({ done: false, value });
    }
    if (this.#closed) {
      return this.#error === undefined
        ? Promise.resolve({ done: true, value: undefined })
        : Promise.reject(this.#error);
    }
    const taker = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#takers.push(taker);
    return taker.promise;
  }

  async #waitForRoom(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    const waiter = Promise.withResolvers<void>();
    const abort = () => {
      const index = this.#room.indexOf(waiter);
      if (index >= 0) this.#room.splice(index, 1);
      waiter.reject(signal?.reason);
    };
    this.#room.push(waiter);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await waiter.promise;
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }
}
