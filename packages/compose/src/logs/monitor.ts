import type { ContainerSummary, EventMessage } from '@wharf/wire/docker/types';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { isStatus } from '@wharf/wire/docker-client/errors';
import { CONFIG_HASH, CONTAINER_NUMBER, ONE_OFF, PROJECT, REPLACE, SERVICE } from '../convert/labels.ts';
import { shortName } from '../convert/names.ts';

/** Something that became of one of the application's containers. */
export interface AppEvent {
  readonly kind: 'created' | 'recreated' | 'started' | 'restarted' | 'exited';
  readonly id: string;
  /** As logs show it. */
  readonly name: string;
  readonly service: string;
  readonly exitCode: number;
  /** It comes back, or just did: the engine restarts it. */
  readonly isRestarting: boolean;
  /** Of one that took another's place: whose. */
  readonly replaced: string;
}

export interface MonitorOptions {
  readonly client: DockerClient;
  readonly project: string;
  /** Whose containers count; empty: all. */
  readonly services: ReadonlySet<string>;
  readonly onEvent: (event: AppEvent) => void;
  /** How long a container that somebody stopped may take to be started again by `restart` before it counts as gone. */
  readonly restartMs: () => number;
  readonly signal: AbortSignal;
}

/**
 * Follows an application until none of its containers is left running, or the signal aborts. Resolves `started` once every event from then
 * on will be heard: events are asked for before containers are listed, so that none falls between.
 */
export function monitorApp(options: MonitorOptions): { readonly started: Promise<void>; readonly over: Promise<void> } {
  const started = Promise.withResolvers<void>();
  const over = new Monitor(options).run(started.resolve);
  // Whoever waits for the start hears of a failure too.
  over.catch(started.reject);
  started.promise.catch(() => undefined);
  return { started: started.promise, over };
}

class Monitor {
  readonly #options: MonitorOptions;
  readonly #alive = new Set<string>();
  /** Containers that somebody sent a signal, until they start again. */
  readonly #signalled = new Set<string>();
  readonly #restarting = new Set<string>();
  #onEmpty = (): void => undefined;

  constructor(options: MonitorOptions) {
    this.#options = options;
  }

  async run(onStart: () => void): Promise<void> {
    const { client, project, signal } = this.#options;
    // The loop below ends with the containers, the stream does not.
    const leave = new AbortController();
    const both = AbortSignal.any([signal, leave.signal]);
    try {
      const filters = { type: { container: true }, label: { [`${PROJECT}=${project}`]: true } };
      const answer = await client.stream('GET', '/events', { query: { filters }, signal: both });
      await this.#list();
      onStart();
      if (this.#alive.size === 0) {
        answer.discard();
        return;
      }
      const { jsonLines } = await import('@wharf/wire/docker-client/json-lines');
      this.#onEmpty = () => leave.abort();
      for await (const message of jsonLines<EventMessage>(answer.body)) {
        await this.#take(message);
        if (this.#alive.size === 0) return;
      }
    } catch (error) {
      if (!both.aborted) throw error;
    } finally {
      leave.abort();
    }
  }

  async #list(): Promise<void> {
    const { client, project, services, signal } = this.#options;
    const label = { [`${PROJECT}=${project}`]: true, [`${ONE_OFF}=False`]: true, [CONFIG_HASH]: true };
    const found = await client.json<readonly ContainerSummary[]>('GET', '/containers/json', {
      query: { all: 1, filters: { label } },
      signal,
    });
    for (const { Id, Labels } of found) {
      if (services.size === 0 || services.has(Labels?.[SERVICE] ?? '')) this.#alive.add(Id);
    }
  }

  async #take({ Action, Actor: { ID: id, Attributes: labels } }: EventMessage): Promise<void> {
    const { services } = this.#options;
    if (services.size > 0 && !services.has(labels[SERVICE] ?? '')) return;
    if (labels[ONE_OFF] === 'True') return;
    switch (Action) {
      case 'create':
        this.#alive.add(id);
        this.#tell(labels[REPLACE] === undefined ? 'created' : 'recreated', id, labels);
        break;
      case 'kill':
        this.#signalled.add(id);
        break;
      case 'start':
        this.#alive.add(id);
        this.#signalled.delete(id);
        this.#tell('started', id, labels, this.#restarting.has(id));
        break;
      case 'restart':
        this.#tell('restarted', id, labels);
        break;
      case 'die':
        await this.#died(id, labels);
        break;
      case 'destroy':
        this.#alive.delete(id);
        break;
      default:
    }
  }

  async #died(id: string, labels: Readonly<Record<string, string>>): Promise<void> {
    const comesBack = await this.#comesBack(id);
    if (comesBack) this.#restarting.add(id);
    this.#tell('exited', id, labels, comesBack);
    if (comesBack) return;
    const restartMs = this.#options.restartMs();
    if (!this.#signalled.has(id) || restartMs === 0) {
      this.#alive.delete(id);
      return;
    }
    // Whoever stopped it may be about to start it again, and nothing says so before that happens.
    setTimeout(() => {
      if (this.#signalled.has(id)) this.#alive.delete(id);
      if (this.#alive.size === 0) this.#onEmpty();
    }, restartMs);
  }

  /** The engine restarts it by its policy, or because somebody asked for that: then it is said to run. */
  async #comesBack(id: string): Promise<boolean> {
    const { client, signal } = this.#options;
    try {
      const { State } = await client.json<{
        readonly State: { readonly Restarting: boolean; readonly Running: boolean };
      }>('GET', `/containers/${id}/json`, { signal });
      return State.Restarting || State.Running;
    } catch (error) {
      if (isStatus(error, 404)) return false;
      throw error;
    }
  }

  #tell(kind: AppEvent['kind'], id: string, labels: Readonly<Record<string, string>>, isRestarting = false): void {
    const service = labels[SERVICE] ?? '';
    const number = Number(labels[CONTAINER_NUMBER]);
    const name = shortName({ name: labels['name'] ?? '', service, number }, this.#options.project);
    const exitCode = Number(labels['exitCode'] ?? 0);
    this.#options.onEvent({ ...{ kind, id, name, service, exitCode, isRestarting }, replaced: labels[REPLACE] ?? '' });
  }
}
