export interface BackoffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** Growth per step; 2 when absent. */
  readonly factor?: number;
  /** Part of each delay that is random, 0…1; 0 when absent. */
  readonly jitter?: number;
  /** Random numbers 0…1; `Math.random` when absent. Handed in by tests. */
  readonly random?: () => number;
}

/** The delay before attempt number `attempt` (0 is the first retry), in ms: exponential, capped, with jitter. */
export function backoffDelayMs(attempt: number, options: BackoffOptions): number {
  const { firstMs, maxMs, factor = 2, jitter = 0, random = Math.random } = options;
  const full = Math.min(maxMs, firstMs * factor ** Math.max(0, attempt));
  return Math.round(full * (1 - jitter * random()));
}

/** Counts attempts and gives their delays. */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** How many delays were given since the last `reset`. */
  get attempt(): number {
    return this.#attempt;
  }

  /** The next delay in ms. */
  nextMs(): number {
    const delay = backoffDelayMs(this.#attempt, this.#options);
    this.#attempt += 1;
    return delay;
  }

  /** Starts again with the first delay: the thing worked. */
  reset(): void {
    this.#attempt = 0;
  }
}
