import { WharfError } from '@wharf/kit';
import type { ContainerInspectResponse } from '@wharf/wire/docker/types';
import { isStatus } from '@wharf/wire/docker-client/errors';
import type { Project } from '../model/project.ts';
import type { Dependency } from '../model/service.ts';
import { dependencyGraph, withDependents } from '../plan/dependencies.ts';
import { optionalDependencies } from '../plan/down.ts';
import { planStartOnly, planStop } from '../plan/lifecycle.ts';
import type { ObservedContainer } from '../plan/observed.ts';
import { runHooks } from './hooks.ts';
import { observe, observeContainers } from './observe.ts';
import { reporter } from './progress.ts';
import type {
  KillOptions,
  ListOptions,
  RemoveOptions,
  RestartOptions,
  RunnerOptions,
  StartOptions,
  StopOptions,
} from './runner.ts';
import { StateWatch } from './state-watch.ts';
import { executePlan } from './up.ts';
import { waitFor } from './wait-step.ts';

export async function start(options: RunnerOptions, whole: Project, wanted: StartOptions): Promise<void> {
  const { signal } = wanted;
  const project = withDependencies(whole, wanted.services ?? []);
  const observed = await observe({ ...options, signal }, withoutImages(project));
  const own = observed.containers.filter(({ oneOff }) => !oneOff);
  const missing = Object.entries(project.services).find(
    ([, service]) => service.scale !== 0 && service.deploy?.replicas !== 0,
  );
  if (own.length === 0 && missing !== undefined) {
    throw new WharfError('failed-precondition', `service ${JSON.stringify(missing[0])} has no container to start`, {
      hint: 'Create the containers first: wharf compose up.',
    });
  }
  const plan = planStartOnly({ project, observed, wait: wanted.wait });
  await executePlan(options, {
    plan: { ...plan, unchanged: [] },
    project,
    observed,
    beforeStart: wanted.beforeStart,
    signal,
  });
}

export async function stop(options: RunnerOptions, project: Project, wanted: StopOptions): Promise<void> {
  const { signal } = wanted;
  const observed = await observe({ ...options, signal }, withoutImages(project));
  await executePlan(options, { plan: planStop({ ...wanted, project, observed }), project, observed, signal });
}

/** The services of those names and what they depend on; all, without a name. Throws `not-found` for one that is not there. */
function withDependencies(project: Project, names: readonly string[]): Project {
  if (names.length === 0) return project;
  const kept = new Set<string>();
  const visit = (name: string): void => {
    const service = project.services[name];
    if (service === undefined || kept.has(name)) return;
    kept.add(name);
    for (const target of Object.keys(service.depends_on ?? {})) visit(target);
  };
  for (const name of names) {
    if (project.services[name] === undefined)
      throw new WharfError('not-found', `no such service: ${JSON.stringify(name)}: not found`);
    visit(name);
  }
  return {
    ...project,
    services: Object.fromEntries(Object.entries(project.services).filter(([name]) => kept.has(name))),
  };
}

/** What these commands do needs no image. */
const withoutImages = (project: Project): Project => ({ ...project, services: {} });

/** Restarts containers, dependencies first; those that want it so (`restart: true`) follow the services asked for. */
export async function restart(options: RunnerOptions, project: Project, wanted: RestartOptions): Promise<void> {
  const { client, projectName, progress = () => {} } = options;
  const { services = [], noDeps = false, signal = NEVER, timeout } = wanted;
  const containers = (await observeContainers({ client, projectName, signal })).filter(({ oneOff }) => !oneOff);
  const related = onlyRestarting(optionalDependencies(project), noDeps);
  const graph = dependencyGraph(related);
  const chosen = services.length === 0 ? undefined : noDeps ? new Set(services) : withDependents(graph, services);
  const watch = new StateWatch(client, projectName);
  const over = new Map<string, Promise<void>>();
  try {
    for (const name of graph.order) {
      if (chosen?.has(name) === false) continue;
      const service = related.services[name] ?? {};
      const own = containers.filter((container) => container.service === name);
      const work = async (): Promise<void> => {
        const needs = Object.entries(graph.needs[name] ?? {});
        await Promise.all(needs.flatMap(([dependency]) => over.get(dependency) ?? []));
        const waiting = { options, watch, signal, name };
        await Promise.all(needs.map(([dependency, how]) => waitAfterRestart(waiting, dependency, how, containers)));
        await Promise.all(
          own.map(async (container) => {
            const say = reporter(progress, `Container ${container.name}`);
            const hooks = { service, signal };
            if (container.status === 'running')
              await runHooks({ client, options }, container, { ...hooks, hooks: service.pre_stop });
            say.working('Restarting');
            await client.json('POST', `/containers/${container.id}/restart`, { query: { t: timeout }, signal });
            say.done('Started');
            await runHooks({ client, options }, container, { ...hooks, hooks: service.post_start });
          }),
        );
      };
      const working = work();
      working.catch(() => {});
      over.set(name, working);
    }
    await Promise.all(over.values());
  } finally {
    watch.close();
  }
}

const NEVER = new AbortController().signal;

/** Dependencies that a restart passes on: those with `restart: true`. */
function onlyRestarting(project: Project, noDeps: boolean): Project {
  const services = Object.entries(project.services).map(([name, service]) => {
    const own = Object.entries(service.depends_on ?? {}).filter(
      ([, { restart: follows }]) => follows === true && !noDeps,
    );
    return [name, { ...service, depends_on: Object.fromEntries(own) }] as const;
  });
  return { ...project, services: Object.fromEntries(services) };
}

async function waitAfterRestart(
  {
    options,
    watch,
    signal,
    name,
  }: {
    readonly options: RunnerOptions;
    readonly watch: StateWatch;
    readonly signal: AbortSignal;
    readonly name: string;
  },
  dependency: string,
  { condition, required }: Dependency,
  containers: readonly ObservedContainer[],
): Promise<void> {
  const kind =
    condition === 'service_healthy'
      ? 'healthy'
      : condition === 'service_completed_successfully'
        ? 'completed'
        : undefined;
  if (kind === undefined) return;
  const own = containers.filter(({ service }) => service === dependency);
  const { progress = () => {}, warn = () => {} } = options;
  await waitFor(
    { watch, progress, warn, created: new Map() },
    {
      kind: 'wait',
      dependency,
      dependent: name,
      condition: kind,
      required,
      containers: own.map((one) => ({ id: one.id, key: one.id, name: one.name, service: one.service })),
    },
    signal,
  );
}

/** Containers as commands ask for them, by service. */
export async function list(options: RunnerOptions, wanted: ListOptions): Promise<readonly ObservedContainer[]> {
  const { oneOff = 'exclude', all = true, services = [], signal } = wanted;
  const found = await observeContainers({ client: options.client, projectName: options.projectName, signal });
  return found.filter(
    (container) =>
      (oneOff === 'include' || container.oneOff === (oneOff === 'only')) &&
      (all || UP.has(container.status)) &&
      (services.length === 0 || services.includes(container.service)),
  );
}

/** What the daemon lists without `all`. */
const UP = new Set(['running', 'paused', 'restarting']);

export async function kill(
  options: RunnerOptions,
  project: Project | undefined,
  wanted: KillOptions,
): Promise<readonly ObservedContainer[]> {
  const { signal, signalName = 'SIGKILL', removeOrphans = false, all = false } = wanted;
  const found = await list(options, { ...wanted, oneOff: 'include', all });
  const known = project === undefined || removeOrphans ? undefined : new Set(Object.keys(project.services));
  const chosen = found.filter(({ service }) => known?.has(service) !== false);
  await each(options, chosen, async (container, say) => {
    say.working('Killing');
    try {
      const query = { signal: signalName };
      await options.client.json('POST', `/containers/${container.id}/kill`, { query, signal });
    } catch (error) {
      say.error('Error while Killing');
      throw error;
    }
    say.done('Killed');
  });
  return chosen;
}

/** `pause` and `unpause` of all that run. */
export async function freeze(
  options: RunnerOptions,
  project: Project | undefined,
  { verb, ...wanted }: ListOptions & { readonly verb: 'pause' | 'unpause' },
): Promise<void> {
  const { signal } = wanted;
  const found = await list(options, { ...wanted, all: false });
  const chosen = found.filter(({ service }) => project === undefined || Object.hasOwn(project.services, service));
  await each(options, chosen, async (container, say) => {
    await options.client.json('POST', `/containers/${container.id}/${verb}`, { signal });
    say.done(verb === 'pause' ? 'Paused' : 'Unpaused');
  });
}

/** Containers that do not run, by a look at each: a list may be late. */
export async function removable(
  options: RunnerOptions,
  project: Project | undefined,
  wanted: ListOptions,
): Promise<readonly ObservedContainer[]> {
  const { client } = options;
  const found = await list(options, wanted);
  const chosen = found.filter(({ service }) => project === undefined || Object.hasOwn(project.services, service));
  const states = await Promise.all(
    chosen.map(async (container) => {
      try {
        const { State } = await client.json<ContainerInspectResponse>('GET', `/containers/${container.id}/json`, {
          signal: wanted.signal,
        });
        return State.Running ? [] : [container];
      } catch (error) {
        if (isStatus(error, 404)) return [];
        throw error;
      }
    }),
  );
  return states.flat();
}

export async function remove(
  options: RunnerOptions,
  project: Project | undefined,
  wanted: RemoveOptions,
): Promise<void> {
  const { signal, volumes, force } = wanted;
  await each(options, await removable(options, project, wanted), async (container, say) => {
    say.working('Removing');
    await options.client.json('DELETE', `/containers/${container.id}`, { query: { v: volumes, force }, signal });
    say.done('Removed');
  });
}

async function each(
  { progress = () => {} }: RunnerOptions,
  containers: readonly ObservedContainer[],
  work: (container: ObservedContainer, say: ReturnType<typeof reporter>) => Promise<void>,
): Promise<void> {
  await Promise.all(containers.map((container) => work(container, reporter(progress, `Container ${container.name}`))));
}
