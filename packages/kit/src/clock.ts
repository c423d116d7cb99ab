/** Wall-clock time and timers, handed in so that tests run on a clock of their own. */
export interface Clock {
  /** Nanoseconds since the Unix epoch; never the same value twice from one clock, so events keep their order. */
  nowNs(): bigint;
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. The timer does not hold the process. */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

const originNs = BigInt(Date.now()) * 1_000_000n;
const originMonotonicNs = process.hrtime.bigint();

/**
 * The system clock. Millisecond wall time refined by the monotonic clock; follows steps of the wall clock
 * larger than 100 ms.
 */
export class SystemClock implements Clock {
  #last = 0n;
  #offset = originNs - originMonotonicNs;

  nowNs(): bigint {
    const wall = BigInt(Date.now()) * 1_000_000n;
    let now = process.hrtime.bigint() + this.#offset;
    const drift = wall - now;
    if (drift > 100_000_000n || drift < -100_000_000n) {
      this.#offset += drift;
      now = wall;
    }
    if (now <= this.#last) now = this.#last + 1n;
    this.#last = now;
    return now;
  }

  sleep(ms: number, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const { signal } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const abort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', abort);
        resolve();
      }, ms);
      timer.unref();
      signal?.addEventListener('abort', abort, { once: true });
    });
  }
}

export const systemClock: Clock = new SystemClock();
