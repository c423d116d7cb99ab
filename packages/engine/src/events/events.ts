import type { Clock, Logger } from '@wharf/kit';
import { BoundedQueue, messageOf, WharfError } from '@wharf/kit';
import type { EngineEvent, EventBus, EventQuery } from './event-bus.ts';
import { RING_SIZE, SUBSCRIBER_QUEUE } from './limits.ts';
import { matchesEvent } from './match.ts';

/** An event bus that knows how many follow it, for `info`. */
export interface CountedEventBus extends EventBus {
  readonly subscriberCount: number;
}

/** Makes the engine's event bus. */
export function createEventBus(options: { readonly clock: Clock; readonly log: Logger }): CountedEventBus {
  return new RingEventBus(options);
}

/** Node's timers take no longer delay than this. */
const LONGEST_SLEEP_MS = 2 ** 31 - 1;

interface Subscriber {
  readonly query: EventQuery;
  readonly queue: BoundedQueue<EngineEvent>;
}

/**
 * Events in a ring, and queues to those who follow.
 *
 * Invariants:
 * - `timeNs` grows with every event;
 * - a subscriber is on the list before `subscribe` returns, so nothing falls between its replay and its live events;
 * - no subscriber can hold `publish` up: one that is `SUBSCRIBER_QUEUE` events behind gets an error and is dropped.
 */
class RingEventBus implements CountedEventBus {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #ring: EngineEvent[] = [];
  /** Where the oldest event lies once the ring is full. */
  #oldest = 0;
  #lastNs = 0n;
  readonly #listeners = new Set<(event: EngineEvent) => void>();
  readonly #subscribers = new Set<Subscriber>();

  constructor(options: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  get subscriberCount(): number {
    return this.#subscribers.size;
  }

  publish(event: Omit<EngineEvent, 'scope' | 'timeNs'>): void {
    const now = this.#clock.nowNs();
    this.#lastNs = now > this.#lastNs ? now : this.#lastNs + 1n;
    const full: EngineEvent = { ...event, scope: 'local', timeNs: this.#lastNs };
    this.#keep(full);
    for (const listener of this.#listeners) {
      try {
        listener(full);
      } catch (error) {
        this.#log.error({ err: messageOf(error), action: full.action }, 'an event listener threw');
      }
    }
    for (const subscriber of this.#subscribers) this.#deliver(subscriber, full);
  }

  subscribe(query: EventQuery): AsyncIterable<EngineEvent> {
    const queue = new BoundedQueue<EngineEvent>(SUBSCRIBER_QUEUE);
    const subscriber: Subscriber = { query, queue };
    for (const event of this.#replay(query)) queue.push(event);
    if (query.signal.aborted || (query.untilNs !== undefined && query.untilNs <= this.#clock.nowNs())) {
      queue.close();
      return queue;
    }
    this.#subscribers.add(subscriber);
    void this.#endOf(query).then(() => {
      this.#subscribers.delete(subscriber);
      queue.close();
    });
    return queue;
  }

  listen(listener: (event: EngineEvent) => void): () => void {
    // A wrapper of its own, so that one function listening twice is removed once at a time.
    const own = (event: EngineEvent) => listener(event);
    this.#listeners.add(own);
    return () => {
      this.#listeners.delete(own);
    };
  }

  #keep(event: EngineEvent): void {
    if (this.#ring.length < RING_SIZE) {
      this.#ring.push(event);
      return;
    }
    this.#ring[this.#oldest] = event;
    this.#oldest = (this.#oldest + 1) % RING_SIZE;
  }

  #deliver(subscriber: Subscriber, event: EngineEvent): void {
    const { query, queue } = subscriber;
    if (query.untilNs !== undefined && event.timeNs > query.untilNs) return;
    if (!matchesEvent(event, query.filters)) return;
    if (queue.push(event) || queue.closed) return;
    this.#subscribers.delete(subscriber);
    queue.close(
      new WharfError('resource-exhausted', `Cannot follow events: the reader is more than ${SUBSCRIBER_QUEUE} behind`),
    );
    this.#log.warn({ behind: queue.length }, 'an event subscriber was too slow and is dropped');
  }

  /** Without `since` and `until` Docker replays nothing. */
  #replay(query: EventQuery): readonly EngineEvent[] {
    const { sinceNs, untilNs, filters } = query;
    if (sinceNs === undefined && untilNs === undefined) return [];
    const ordered = [...this.#ring.slice(this.#oldest), ...this.#ring.slice(0, this.#oldest)];
    return ordered.filter(
      (event) =>
        event.timeNs >= (sinceNs ?? 0n) &&
        (untilNs === undefined || event.timeNs <= untilNs) &&
        matchesEvent(event, filters),
    );
  }

  /** Resolves at `until` or when the signal aborts. */
  async #endOf({ untilNs, signal }: EventQuery): Promise<void> {
    if (untilNs === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => resolve(), { once: true });
      return promise;
    }
    try {
      for (;;) {
        const leftMs = Number((untilNs - this.#clock.nowNs()) / 1_000_000n) + 1;
        if (leftMs <= 0) return;
        await this.#clock.sleep(Math.min(leftMs, LONGEST_SLEEP_MS), { signal });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
