import type { Clock, Logger } from '@wharf/kit';
import { BoundedQueue, messageOf, ZERO_TIME } from '@wharf/kit';
import type { ContainerStatsResponse } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import { SAMPLE_INTERVAL_MS, SAMPLE_SLICE_MS, STATS_QUEUE } from './limits.ts';
import { SampleReader } from './read-sample.ts';
import { emptyStats, type Sample, toStats, withPrevious } from './stats-json.ts';

export interface StatsServiceOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** The container as it is now; `undefined` when it is gone. */
  readonly find: (id: string) => ContainerRecord | undefined;
  /** Reads one sample; the kernel's files when absent. */
  readonly read?: ((record: ContainerRecord) => Sample | undefined) | undefined;
  /** A second when absent. */
  readonly intervalMs?: number | undefined;
}

/** Makes the room of resource statistics. */
export function createStatsService(options: StatsServiceOptions): StatsService {
  return new StatsService(options);
}

type Queue = BoundedQueue<ContainerStatsResponse>;

/**
 * Samples for whoever watches, read once a second by one timer for all of them.
 *
 * Invariants:
 * - without watchers there is no timer;
 * - each container is read once per tick however many watch it;
 * - a slow watcher loses samples, never delays others.
 */
export class StatsService {
  readonly #find: (id: string) => ContainerRecord | undefined;
  readonly #read: (record: ContainerRecord) => Sample | undefined;
  readonly #log: Logger;
  readonly #intervalMs: number;
  readonly #watchers = new Map<string, Set<Queue>>();
  #timer: NodeJS.Timeout | undefined;
  #reading = false;

  constructor(options: StatsServiceOptions) {
    this.#find = options.find;
    this.#log = options.log;
    this.#intervalMs = options.intervalMs ?? SAMPLE_INTERVAL_MS;
    const reader = new SampleReader(options.clock, (container) => {
      if (options.find(container)?.state.status !== 'running') return;
      this.#log.warn(
        { container },
        'the control group of a running container is gone: restart it to have its limits back',
      );
    });
    this.#read = options.read ?? ((record) => reader.read(record));
  }

  /** One sample now, without `pre` fields; zeros for a container that does not run. */
  sample(record: ContainerRecord): ContainerStatsResponse {
    const identity = { id: record.id, name: `/${record.name}` };
    const sample = this.#read(record);
    return sample === undefined ? emptyStats(identity) : toStats(identity, sample);
  }

  /** A sample with the one a second before it in the `pre` fields; at once for a container that does not run. */
  async pair(record: ContainerRecord, signal: AbortSignal): Promise<ContainerStatsResponse> {
    const first = this.sample(record);
    if (first.read === ZERO_TIME) return first;
    for await (const second of this.#watch(record.id, signal)) return withPrevious(second, first);
    return first;
  }

  /**
   * Samples every second until the signal aborts or the container is removed, zeros while it does not run; the first one at
   * once.
   */
  async *stream(record: ContainerRecord, signal: AbortSignal): AsyncGenerator<ContainerStatsResponse> {
    let previous = this.sample(record);
    yield previous;
    for await (const current of this.#watch(record.id, signal)) {
      yield withPrevious(current, previous);
      previous = current;
    }
  }

  async *#watch(id: string, signal: AbortSignal): AsyncGenerator<ContainerStatsResponse> {
    if (signal.aborted) return;
    const queue: Queue = new BoundedQueue(STATS_QUEUE);
    const watchers = this.#watchers.get(id) ?? new Set();
    this.#watchers.set(id, watchers.add(queue));
    const end = () => queue.close();
    signal.addEventListener('abort', end, { once: true });
    this.#timer ??= setInterval(() => void this.#tick(), this.#intervalMs).unref();
    try {
      yield* queue;
    } finally {
      signal.removeEventListener('abort', end);
      watchers.delete(queue);
      if (watchers.size === 0) this.#watchers.delete(id);
      if (this.#watchers.size === 0) this.#stop();
    }
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Reads all watched containers, a slice of a few ms at a time. A tick that lasts longer than the interval skips the next. */
  async #tick(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      let sliceStart = performance.now();
      for (const [id, queues] of this.#watchers) {
        this.#deliver(id, queues);
        if (performance.now() - sliceStart < SAMPLE_SLICE_MS) continue;
        await new Promise<void>((resolve) => setImmediate(resolve));
        sliceStart = performance.now();
      }
    } finally {
      this.#reading = false;
    }
  }

  #deliver(id: string, queues: ReadonlySet<Queue>): void {
    const record = this.#find(id);
    if (record === undefined) {
      for (const queue of queues) queue.close();
      return;
    }
    try {
      const stats = this.sample(record);
      for (const queue of queues) queue.push(stats);
    } catch (error) {
      this.#log.warn({ container: id, err: messageOf(error) }, 'the statistics of a container could not be read');
    }
  }
}
