import { MAX_COUNTED } from '../limits.ts';

interface Failures {
  count: number;
  /** No attempt before this. */
  until: number;
  at: number;
}

/** How many failures are free, and how long the longest wait is. */
const PAIR = { free: 4, maxMs: 5 * 60_000 };
const ADDRESS = { free: 20, maxMs: 5 * 60_000 };
/** Short, so that a stranger cannot lock an owner out for long. */
const USER = { free: 50, maxMs: 10_000 };
const FORGET_MS = 15 * 60_000;

/**
 * Slows down guessing: after a few failures each further one doubles the wait, counted for the user at that address, for the address, and for
 * the user. Memory is bounded; who has not failed for longest is forgotten first.
 */
export class Throttle {
  readonly #failures = new Map<string, Failures>();
  readonly #now: () => number;
  readonly #limit: number;

  constructor(now: () => number, limit = MAX_COUNTED) {
    this.#now = now;
    this.#limit = limit;
  }

  /** Milliseconds to wait before the next attempt; 0 when it may come now. */
  waitMs(user: string, address: string): number {
    const until = keys(user, address).map(([key]) => this.#failures.get(key)?.until ?? 0);
    return Math.max(0, Math.max(...until) - this.#now());
  }

  failed(user: string, address: string): void {
    const now = this.#now();
    for (const [key, { free, maxMs }] of keys(user, address)) {
      const known = this.#failures.get(key);
      const count = known === undefined || now - known.at > FORGET_MS ? 1 : known.count + 1;
      const waitMs = count <= free ? 0 : Math.min(maxMs, 1000 * 2 ** Math.min(20, count - free - 1));
      this.#failures.delete(key);
      this.#failures.set(key, { count, until: now + waitMs, at: now });
    }
    for (const key of this.#failures.keys()) {
      if (this.#failures.size <= this.#limit) return;
      this.#failures.delete(key);
    }
  }

  succeeded(user: string, address: string): void {
    const [pair] = keys(user, address);
    if (pair !== undefined) this.#failures.delete(pair[0]);
  }
}

function keys(user: string, address: string): readonly (readonly [string, typeof PAIR])[] {
  const name = user.slice(0, 128);
  return [
    [`p ${address} ${name}`, PAIR],
    [`a ${address}`, ADDRESS],
    [`u ${name}`, USER],
  ];
}
