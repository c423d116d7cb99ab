/** So many transfers at a time, by a number that may change while they run; first come, first served. */
export class TransferSlots {
  readonly #limit: () => number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** `limit` is asked each time; 0 and below is no limit. */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Runs `work` once there is room. Throws the signal's reason when it aborts while waiting. */
  async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    signal.throwIfAborted();
    while (!this.#hasRoom()) await this.#wait(signal);
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.wake();
    }
  }

  /** Lets those in who now fit: called when the limit has grown. */
  wake(): void {
    let room = this.#limit() <= 0 ? this.#waiting.length : this.#limit() - this.#running;
    for (; room > 0; room -= 1) this.#waiting.shift()?.();
  }

  #hasRoom(): boolean {
    return this.#limit() <= 0 || this.#running < this.#limit();
  }

  async #wait(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const abort = (): void => {
      const at = this.#waiting.indexOf(resolve);
      if (at >= 0) this.#waiting.splice(at, 1);
      reject(signal.reason);
    };
    signal.addEventListener('abort', abort, { once: true });
    this.#waiting.push(resolve);
    try {
      await promise;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }
}
