import { abortable } from '@wharf/kit';
import { SHARED_OUTPUT_BYTES } from '../limits.ts';

export type StepOutput = (stream: 'stdout' | 'stderr', chunk: Buffer) => void;

/** What shared work is given: a signal that aborts when nobody wants it any more, and where its output goes. */
export interface SharedIo {
  readonly output: StepOutput;
  readonly signal: AbortSignal;
}

interface Flight<T> {
  readonly result: Promise<T>;
  readonly abort: AbortController;
  readonly outputs: Set<StepOutput>;
  /** The beginning of the output, for those who come later. */
  readonly said: { readonly stream: 'stdout' | 'stderr'; readonly chunk: Buffer }[];
  saidBytes: number;
  /** Who began it has left, and with them what it may need. */
  isOrphan: boolean;
}

/**
 * Work that several builds want at the same time and that is done once.
 *
 * Invariants:
 * - it goes on for as long as one of them wants it, and stops at once when none does;
 * - who began it waits for its end, however they leave, since it uses what is theirs;
 * - what failed after its beginner left is begun again by those who stay.
 */
export class SharedWork<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /** Does the work of a key, or takes part in what is under way. Throws what the work throws, or the signal's reason. */
  async run(
    key: string,
    { output, signal }: SharedIo,
    work: (io: SharedIo) => Promise<T>,
  ): Promise<{ readonly value: T; readonly isOwn: boolean }> {
    for (;;) {
      signal.throwIfAborted();
      const flight = this.#flights.get(key);
      if (flight === undefined) return { value: await this.#begin(key, { output, signal }, work), isOwn: true };
      if (flight.abort.signal.aborted) {
        await abortable(signal, settled(flight.result));
        continue;
      }
      for (const { stream, chunk } of flight.said) output(stream, chunk);
      const leave = this.#join(flight, { output, signal });
      try {
        return { value: await abortable(signal, flight.result), isOwn: false };
      } catch (error) {
        signal.throwIfAborted();
        if (!flight.isOrphan) throw error;
      } finally {
        leave();
      }
    }
  }

  async #begin(key: string, { output, signal }: SharedIo, work: (io: SharedIo) => Promise<T>): Promise<T> {
    const abort = new AbortController();
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // Where nobody else waits, the failure is ours alone.
    promise.catch(() => undefined);
    const flight: Flight<T> = {
      ...{ result: promise, abort, outputs: new Set(), said: [], saidBytes: 0, isOrphan: false },
    };
    this.#flights.set(key, flight);
    const leave = this.#join(flight, { output, signal });
    const orphan = (): void => {
      flight.isOrphan = true;
    };
    signal.addEventListener('abort', orphan, { once: true });
    try {
      const value = await work({ signal: abort.signal, output: (stream, chunk) => tell(flight, stream, chunk) });
      this.#flights.delete(key);
      resolve(value);
    } catch (error) {
      this.#flights.delete(key);
      reject(error);
    } finally {
      signal.removeEventListener('abort', orphan);
      leave();
    }
    signal.throwIfAborted();
    return promise;
  }

  /** Takes part until the returned function is called or the signal aborts. */
  #join(flight: Flight<T>, { output, signal }: SharedIo): () => void {
    // Two of one build may have the same output.
    const own: StepOutput = (stream, chunk) => output(stream, chunk);
    flight.outputs.add(own);
    const leave = (): void => {
      signal.removeEventListener('abort', leave);
      if (flight.outputs.delete(own) && flight.outputs.size === 0) flight.abort.abort(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    return leave;
  }
}

function tell(flight: Flight<unknown>, stream: 'stdout' | 'stderr', chunk: Buffer): void {
  for (const output of flight.outputs) output(stream, chunk);
  if (flight.saidBytes > SHARED_OUTPUT_BYTES) return;
  flight.saidBytes += chunk.length;
  flight.said.push({ stream, chunk });
}

function settled(promise: Promise<unknown>): Promise<void> {
  return promise.then(
    () => undefined,
    () => undefined,
  );
}
