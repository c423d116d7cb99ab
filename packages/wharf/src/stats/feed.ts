import type { DockerClient } from '@wharf/wire/docker-client/client';
import { objectPath } from '../cli/object-path.ts';
import { type StatsDocument, type StatsSample, sampleOf } from './sample.ts';
import type { StatsRow } from './stats-rows.ts';

/** A sample that is older than this is shown no more. */
const STALE_MS = 2000;
const HISTORY = 60;

/** What one container uses, as it comes. */
export class StatsFeed {
  readonly container: string;
  readonly cpu: number[] = [];
  readonly memory: number[] = [];
  #sample: StatsSample | undefined;
  #sampledAt = 0;
  #error: unknown;
  readonly #controller = new AbortController();
  readonly #first = Promise.withResolvers<void>();

  constructor(container: string) {
    this.container = container;
  }

  get error(): unknown {
    return this.#error;
  }

  /** Settles with the first sample, with an error, or when none came in time. Never throws. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  /** Reads samples until `stop()`, the end of the stream, or, without `stream`, the first. Never throws: `error` has what went wrong. */
  async run(
    client: DockerClient,
    { stream, signal }: { readonly stream: boolean; readonly signal: AbortSignal },
  ): Promise<void> {
    const timer = setTimeout(() => {
      this.#error ??= new Error('timeout waiting for stats');
      this.#first.resolve();
    }, STALE_MS);
    try {
      const query = { stream: stream ? '1' : '0' };
      const call = { query, signal: AbortSignal.any([signal, this.#controller.signal]) };
      const documents = client.messages<StatsDocument>('GET', objectPath('container', this.container, '/stats'), call);
      for await (const document of documents) {
        this.#take(sampleOf(document));
        if (!stream) break;
      }
    } catch (error) {
      if (!this.#controller.signal.aborted) this.#error = error;
    } finally {
      clearTimeout(timer);
      this.#first.resolve();
    }
  }

  stop(): void {
    this.#controller.abort();
  }

  row(now = Date.now()): StatsRow {
    const isStale = this.#error !== undefined || now - this.#sampledAt > STALE_MS;
    return { container: this.container, sample: this.#sample, isStale };
  }

  #take(sample: StatsSample): void {
    this.#sample = sample;
    this.#sampledAt = Date.now();
    this.#error = undefined;
    push(this.cpu, sample.cpuPercent);
    push(this.memory, sample.memoryBytes);
    this.#first.resolve();
  }
}

function push(values: number[], value: number): void {
  values.push(value);
  if (values.length > HISTORY) values.shift();
}
