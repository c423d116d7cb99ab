import { PROJECT } from '@wharf/compose/convert/labels';
import type { Project } from '@wharf/compose/model/project';
import type { Hook, Service } from '@wharf/compose/model/service';
import type { PathMapping, WatchActions, WatchRule } from '@wharf/compose/watch/rules';
import { messageOf } from '@wharf/kit/errors';
import type { ContainerSummary, ImageSummary } from '@wharf/wire/docker/types';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { goQuote, listContainers, set } from '../containers.ts';
import { ImageWork } from '../image-work.ts';
import { WATCH_NAME } from '../log-printer.ts';
import { quietProgress } from '../progress/plain.ts';
import { execIn } from './exec-in.ts';
import type { WatchOptions } from './start-watch.ts';
import { sortPaths, syncArchive } from './sync-archive.ts';

interface ActorParts extends WatchOptions {
  readonly client: DockerClient;
  readonly rules: readonly WatchRule[];
}

/** Does what changed files ask for: builds anew, copies, restarts, runs commands, in this order. */
export class WatchActor {
  readonly #parts: ActorParts;

  constructor(parts: ActorParts) {
    this.#parts = parts;
  }

  async act({ rebuild, sync, restart, exec }: WatchActions): Promise<void> {
    if (rebuild.length > 0) await this.#rebuild(rebuild);
    for (const [service, mappings] of sync) {
      this.#say(`Syncing service ${goQuote(service)} after ${mappings.length} changes were detected`);
      await this.#sync(service, mappings);
    }
    if (restart.length > 0) {
      const runner = await this.#runner(this.#parts.project);
      await runner.restart({ services: restart, signal: this.#parts.signal });
      this.#say(`service(s) ${quoted(restart)} restarted`);
    }
    for (const [service, triggers] of exec) {
      for (const { exec: hook } of triggers) if (hook !== undefined) await this.#exec(service, hook);
    }
  }

  async #rebuild(services: readonly string[]): Promise<void> {
    const { session, project, client, signal, prune } = this.#parts;
    this.#say(`Rebuilding service(s) ${quoted(services)} after changes were detected...`);
    const view = quietProgress();
    const images = new ImageWork(session, project, {
      ...{ quietPull: true, quietBuild: false },
      onLine: (line) => this.#say(line),
    });
    // These are built whatever images there are; the others only when they have none.
    const built = withPolicy(project, services);
    const runner = await session.runner(
      { project: built, name: project.name, view },
      { images: images.provider(view) },
    );
    try {
      await runner.up({ services, recreate: 'force', recreateDependencies: 'never', ignoreOrphans: true, signal });
    } catch (error) {
      if (!signal.aborted) this.#say(`Failed to recreate services after update. Error: ${messageOf(error)}`);
      throw error;
    }
    this.#say(`service(s) ${quoted(services)} successfully built`);
    if (prune) await this.#prune(client);
  }

  /** Images of the project that have lost their name to a newer one. */
  async #prune(client: DockerClient): Promise<void> {
    const { project, signal, session } = this.#parts;
    const filters = { dangling: set(['true']), label: set([`${PROJECT}=${project.name}`]) };
    const images = await client.json<readonly ImageSummary[]>('GET', '/images/json', { query: { filters }, signal });
    for (const { Id } of images) {
      try {
        await client.text('DELETE', `/images/${Id}`, { signal });
      } catch (error) {
        // A container may still have it.
        if (signal.aborted) throw error;
        if (session.values.verbose) session.warn(`Failed to remove image ${Id}: ${messageOf(error)}`);
      }
    }
  }

  async #sync(service: string, mappings: readonly PathMapping[]): Promise<void> {
    const { client, signal } = this.#parts;
    const { present, gone } = await sortPaths(mappings);
    const containers = await this.#containers(service, true);
    await Promise.all(
      containers.map(async ({ Id, State }) => {
        if (gone.length > 0 && State === 'running') {
          await execIn(client, Id, {
            hook: { command: ['rm', '-rf', ...gone], user: '0' },
            onLine: (line) => this.#say(line),
            signal,
          });
        }
        if (present.length === 0) return;
        const call = { query: { path: '/', copyUIDGID: 1 }, body: syncArchive(present), signal };
        await client.text('PUT', `/containers/${Id}/archive`, {
          ...call,
          headers: { 'Content-Type': 'application/x-tar' },
        });
      }),
    );
  }

  async #exec(service: string, hook: Hook): Promise<void> {
    const { client, signal } = this.#parts;
    const containers = await this.#containers(service, false);
    const onLine = (line: string): void => this.#say(line);
    await Promise.all(containers.map(({ Id }) => execIn(client, Id, { hook, onLine, signal })));
  }

  #containers(service: string, all: boolean): Promise<readonly ContainerSummary[]> {
    const { client, project, signal } = this.#parts;
    return listContainers(client, { project: project.name, services: [service], all, oneOff: 'exclude' }, signal);
  }

  #runner(project: Project) {
    return this.#parts.session.runner({ project, name: project.name, view: quietProgress() });
  }

  #say(line: string): void {
    this.#parts.consumer.log(WATCH_NAME, line);
  }
}

function withPolicy(project: Project, names: readonly string[]): Project {
  const changed = (name: string, service: Service): Service =>
    names.includes(name) && service.build !== undefined ? { ...service, pull_policy: 'build' } : service;
  const services = Object.fromEntries(
    Object.entries(project.services).map(([name, service]) => [name, changed(name, service)]),
  );
  return { ...project, services };
}

/** Go's `%q` of a list. */
function quoted(names: readonly string[]): string {
  return `[${names.map(goQuote).join(' ')}]`;
}
