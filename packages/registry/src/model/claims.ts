import type { Digest } from '@wharf/kit';

/**
 * Keeps a deletion of a file and a new use of it apart.
 *
 * Who is about to name a digest in the catalog claims it first and lets go when the catalog names it; the collector deletes only what is
 * neither named nor claimed, and whoever comes while it deletes waits and then finds the file gone.
 */
export class Claims {
  readonly #claimed = new Map<Digest, number>();
  readonly #deleting = new Map<Digest, Promise<void>>();

  /** Claims a digest; waits for its deletion to end first. Dispose of the claim. */
  async claim(digest: Digest): Promise<Disposable> {
    for (let deletion = this.#deleting.get(digest); deletion; deletion = this.#deleting.get(digest)) await deletion;
    this.#claimed.set(digest, (this.#claimed.get(digest) ?? 0) + 1);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        const left = (this.#claimed.get(digest) ?? 1) - 1;
        if (left === 0) this.#claimed.delete(digest);
        else this.#claimed.set(digest, left);
      },
    };
  }

  isClaimed(digest: Digest): boolean {
    return this.#claimed.has(digest);
  }

  /** Runs a deletion unless the digest is claimed or `isNeeded`, both looked at in the turn in which the deletion begins. */
  async remove(digest: Digest, isNeeded: () => boolean, work: () => Promise<void>): Promise<boolean> {
    if (this.isClaimed(digest) || this.#deleting.has(digest) || isNeeded()) return false;
    const done = work();
    const settled = done.then(
      () => {},
      () => {},
    );
    this.#deleting.set(digest, settled);
    try {
      await done;
    } finally {
      this.#deleting.delete(digest);
    }
    return true;
  }
}

/** Remembers for a while that somebody was told a digest is here, or pushed it: a manifest that needs it may follow. */
export class Leases {
  readonly #until = new Map<string, number>();
  readonly #now: () => number;
  readonly #startedAt: number;
  readonly graceMs: number;

  constructor(options: { readonly now: () => number; readonly graceMs: number }) {
    this.#now = options.now;
    this.#startedAt = options.now();
    this.graceMs = options.graceMs;
  }

  renew(key: string): void {
    // In the order of renewal, so that the oldest are the first ones.
    this.#until.delete(key);
    this.#until.set(key, this.#now() + this.graceMs);
  }

  /** True while what was last used or made at `at` must stay. Leases of an earlier life are not known, so all are taken to be renewed at the start. */
  isLeased(key: string, at: number): boolean {
    const now = this.#now();
    const until = Math.max(at + this.graceMs, this.#until.get(key) ?? 0);
    return now < until || (this.#startedAt > at && now < this.#startedAt + this.graceMs);
  }

  sweep(): void {
    const now = this.#now();
    for (const [key, until] of this.#until) {
      if (until > now) return;
      this.#until.delete(key);
    }
  }
}
