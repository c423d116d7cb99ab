import { isKind } from '@wharf/kit/errors';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { StatsFeed } from './feed.ts';

interface Event {
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string };
}

interface FeedOptions {
  readonly client: DockerClient;
  readonly signal: AbortSignal;
  readonly stream: boolean;
  /** Stopped containers too. */
  readonly all: boolean;
  /** Only containers that have all of these, `NAME=VALUE`. */
  readonly labels?: readonly string[];
}

/** The containers that are watched: those named, or all there are, those that come and those that go. */
export class StatsFeeds {
  readonly #options: FeedOptions;
  readonly #feeds: StatsFeed[] = [];

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get #labels(): { readonly label: Readonly<Record<string, true>> } | undefined {
    const { labels = [] } = this.#options;
    return labels.length === 0 ? undefined : { label: Object.fromEntries(labels.map((label) => [label, true])) };
  }

  get list(): readonly StatsFeed[] {
    return this.#feeds;
  }

  /** Watches these; settles when each has a first sample or an error. */
  async watch(names: readonly string[]): Promise<void> {
    for (const name of names) this.#add(name);
    await this.#first();
  }

  /** Watches all containers, and with `stream` those that start while it goes on. Throws what keeps the daemon from listing them. */
  async watchAll(): Promise<void> {
    const { client, all, stream, signal } = this.#options;
    if (stream) void this.#follow();
    const containers = await client.json<readonly { readonly Id: string }[]>('GET', '/containers/json', {
      query: { all: all || undefined, filters: this.#labels },
      signal,
    });
    for (const { Id } of containers) this.#add(Id.slice(0, 12));
    await this.#first();
  }

  /** Settles when there is nothing to wait for any more. */
  async #first(): Promise<void> {
    await Promise.all(this.#feeds.map(({ first }) => first));
  }

  #add(name: string): void {
    if (this.#feeds.some(({ container }) => container === name)) return;
    const feed = new StatsFeed(name);
    this.#feeds.push(feed);
    void feed.run(this.#options.client, this.#options);
  }

  #remove(name: string): void {
    const at = this.#feeds.findIndex(({ container }) => container === name);
    if (at < 0) return;
    this.#feeds[at]?.stop();
    this.#feeds.splice(at, 1);
  }

  async #follow(): Promise<void> {
    const { client, signal, all } = this.#options;
    const query = { filters: { type: { container: true }, ...this.#labels } };
    try {
      for await (const { Action, Actor } of client.messages<Event>('GET', '/events', { query, signal })) {
        const id = (Actor?.ID ?? '').slice(0, 12);
        if (Action === 'start' || (all && Action === 'create')) this.#add(id);
        else if (Action === (all ? 'destroy' : 'die')) this.#remove(id);
      }
    } catch (error) {
      // Without the daemon the samples end as well, and they say so.
      if (!signal.aborted && !isKind(error, 'unavailable')) throw error;
    }
  }
}
