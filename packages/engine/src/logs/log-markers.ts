import { WharfError } from '@wharf/kit';
import type { LogMark } from './attach-log.ts';

/** Those who wait for a moment between log and spool. */
export class LogMarkers {
  readonly #waiting = new Set<PromiseWithResolvers<LogMark>>();

  get waiting(): boolean {
    return this.#waiting.size > 0;
  }

  /** Waits for a mark. `pass` ships all there is, in the course of which marks are given; rejects when none was: the log is gone. */
  async next(pass: () => Promise<void>): Promise<LogMark> {
    const waiter = Promise.withResolvers<LogMark>();
    this.#waiting.add(waiter);
    try {
      await Promise.race([waiter.promise, pass()]);
      if (this.#waiting.has(waiter)) throw new WharfError('not-found', 'Cannot read a log that was removed');
      return await waiter.promise;
    } finally {
      this.#waiting.delete(waiter);
    }
  }

  /** The moment has come. */
  async give(make: () => Promise<LogMark>): Promise<void> {
    for (const waiter of [...this.#waiting]) {
      this.#waiting.delete(waiter);
      await make().then(waiter.resolve, waiter.reject);
    }
  }
}
