import type { Principal } from '../access/directory.ts';
import { registryError } from '../errors.ts';
import { MAX_COUNTED } from '../limits.ts';

/** So many requests in so many seconds; as many may come at once. */
export interface Rate {
  readonly requests: number;
  readonly perSeconds: number;
}

export interface RateSettings {
  /** For each address, whoever asks from there. */
  readonly perAddress?: Rate | undefined;
  /** For each user and robot, wherever they are. */
  readonly perUser?: Rate | undefined;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Token buckets for addresses and users, in bounded memory: who has not asked for longest is forgotten first, with a bucket full by then or not. */
export class RateLimits {
  readonly #settings: RateSettings;
  readonly #buckets = new Map<string, Bucket>();
  readonly #now: () => number;

  constructor(settings: RateSettings, now: () => number) {
    this.#settings = settings;
    this.#now = now;
  }

  /** Counts a request. Throws `TOOMANYREQUESTS` with when to come again. */
  admit(principal: Principal, address: string): void {
    const { perAddress, perUser } = this.#settings;
    // A unix socket has no address; who may open it is trusted so far.
    if (perAddress !== undefined && address !== '') this.#take(`a ${address}`, perAddress);
    if (perUser !== undefined && principal.kind !== 'anonymous') this.#take(`u ${principal.name}`, perUser);
  }

  #take(key: string, { requests, perSeconds }: Rate): void {
    const now = this.#now();
    const perMs = requests / (perSeconds * 1000);
    const bucket = this.#buckets.get(key) ?? { tokens: requests, at: now };
    bucket.tokens = Math.min(requests, bucket.tokens + Math.max(0, now - bucket.at) * perMs);
    bucket.at = now;
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > MAX_COUNTED) {
      const [oldest] = this.#buckets.keys();
      if (oldest !== undefined) this.#buckets.delete(oldest);
    }
    if (bucket.tokens < 1) {
      const seconds = Math.max(1, Math.ceil((1 - bucket.tokens) / perMs / 1000));
      throw registryError('TOOMANYREQUESTS', `too many requests: try again in ${seconds} s`, {
        headers: { 'Retry-After': String(seconds) },
      });
    }
    bucket.tokens -= 1;
  }
}
