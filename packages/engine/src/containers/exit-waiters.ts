import type { WaitResult } from './container-service.ts';

interface Waiter {
  readonly removedOnly: boolean;
  resolve(result: WaitResult): void;
}

/** Those who wait for one container to end or to be removed, in the order they came. */
export class ExitWaiters {
  readonly #waiters = new Set<Waiter>();

  get count(): number {
    return this.#waiters.size;
  }

  /** Resolves at the next end, or only at the removal; rejects with the signal's reason. */
  add(options: { readonly removedOnly: boolean; readonly signal?: AbortSignal | undefined }): Promise<WaitResult> {
    const { signal, removedOnly } = options;
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason);
        return;
      }
      const leave = () => {
        this.#waiters.delete(waiter);
        signal?.removeEventListener('abort', abort);
      };
      const abort = () => {
        leave();
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        removedOnly,
        resolve(result) {
          leave();
          resolve(result);
        },
      };
      this.#waiters.add(waiter);
      signal?.addEventListener('abort', abort, { once: true });
    });
  }

  /** The process has ended: everyone who does not wait for the removal hears of it. */
  exited(result: WaitResult): void {
    for (const waiter of [...this.#waiters]) if (!waiter.removedOnly) waiter.resolve(result);
  }

  /** The container is gone, or cannot be removed: everyone hears of it. */
  removed(result: WaitResult): void {
    for (const waiter of [...this.#waiters]) waiter.resolve(result);
  }
}
