import { abortable } from '@wharf/kit';
import type { ContainerInspectResponse, EventMessage } from '@wharf/wire/docker/types';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { PROJECT } from '../convert/labels.ts';
import { EVENTS_RETRY_MS, STATE_LOOK_MS } from './limits.ts';

/** Events after which a container is not what it was, for those who wait. */
const EVENTS = ['health_status', 'start', 'die', 'destroy', 'pause', 'unpause'];

/**
 * Knows at once when a container of the project changes.
 *
 * - The stream of events is opened by the first who waits, before the state is looked at: no change is missed in between.
 * - An event is a reason to look, never the state itself. A look now and then besides is for daemons whose stream breaks.
 */
export class StateWatch {
  readonly #client: DockerClient;
  readonly #projectName: string;
  readonly #stop = new AbortController();
  readonly #waiting = new Map<string, Set<() => void>>();
  #open: Promise<void> | undefined;

  constructor(client: DockerClient, projectName: string) {
    this.#client = client;
    this.#projectName = projectName;
  }

  /**
   * Looks at a container until `decide` answers something. Throws what `decide` throws, the daemon's errors, and the signal's
   * reason.
   */
  async until<T>(
    id: string,
    decide: (container: ContainerInspectResponse) => T | undefined,
    signal: AbortSignal,
  ): Promise<T> {
    this.#open ??= this.#listen();
    await abortable(signal, this.#open);
    for (;;) {
      const changed = this.#nextChange(id, signal);
      try {
        const container = await this.#client.json<ContainerInspectResponse>('GET', `/containers/${id}/json`, {
          signal,
        });
        const answer = decide(container);
        if (answer !== undefined) return answer;
        await changed.promise;
      } finally {
        changed.cancel();
      }
    }
  }

  close(): void {
    this.#stop.abort();
  }

  /** Resolves at the next event about the container, or when it is time to look. */
  #nextChange(id: string, signal: AbortSignal): { readonly promise: Promise<void>; cancel(): void } {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    promise.catch(() => {});
    const waiting = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, waiting.add(resolve));
    const timer = setTimeout(resolve, STATE_LOOK_MS);
    const abort = (): void => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    const cancel = (): void => {
      clearTimeout(timer);
      waiting.delete(resolve);
      signal.removeEventListener('abort', abort);
    };
    return { promise, cancel };
  }

  /** Resolves when events come. */
  async #listen(): Promise<void> {
    const filters = { type: ['container'], label: [`${PROJECT}=${this.#projectName}`], event: EVENTS };
    const { signal } = this.#stop;
    const answer = await this.#client.stream('GET', '/events', { query: { filters }, signal });
    void (async () => {
      try {
        const { jsonLines } = await import('@wharf/wire/docker-client/json-lines');
        for await (const event of jsonLines<EventMessage>(answer.body)) this.#tell(event.Actor.ID);
      } catch {
        // It is opened again below; meanwhile the looks go on.
      }
      if (signal.aborted) return;
      setTimeout(() => {
        if (signal.aborted) return;
        this.#open = this.#listen();
        this.#open.then(
          () => this.#tell(),
          () => {},
        );
      }, EVENTS_RETRY_MS).unref();
    })();
  }

  #tell(id?: string): void {
    const sets = id === undefined ? [...this.#waiting.values()] : [this.#waiting.get(id) ?? []];
    for (const waiting of sets) for (const resolve of waiting) resolve();
  }
}
