import type { Project } from '../model/project.ts';
import { PlanBuilder } from './builder.ts';
import { dependencyGraph } from './dependencies.ts';
import { optionalDependencies } from './down.ts';
import type { Observed } from './observed.ts';
import { refTo } from './refs.ts';
import { planStart, planWaitForAll } from './start.ts';
import type { Plan } from './steps.ts';
import { containersOf, isUp, type UpState } from './up-state.ts';

export interface LifecycleInput {
  readonly project: Project;
  readonly observed: Observed;
  readonly services?: readonly string[] | undefined;
  readonly timeout?: number | undefined;
}

/** Starts what there is, in the order of dependencies. Nothing is created: a service without a container is an error of the runner's. */
export function planStartOnly(input: LifecycleInput & { readonly wait?: boolean | undefined }): Plan {
  const builder = new PlanBuilder();
  const project = optionalDependencies(input.project);
  const state: UpState = {
    input: { ...input, project, start: true },
    builder,
    graph: dependencyGraph(project),
    services: new Map(),
    stopped: new Map(),
    waits: new Map(),
    networks: { ids: {}, ready: {}, renewed: new Set() },
    volumes: { ready: {}, removedContainers: new Map() },
    cleared: [],
  };
  for (const name of state.graph.order) {
    const replicas = containersOf(state, name).map((container) => ({
      ref: refTo(container),
      number: container.number,
      ready: [],
      running: container.status === 'running',
      fresh: container.status === 'created',
    }));
    const sorted = replicas.toSorted((a, b) => (a.ref.name < b.ref.name ? -1 : 1));
    const service = project.services[name];
    const settled = service === undefined ? [] : planStart(state, name, service, sorted);
    state.services.set(name, { replicas: sorted, settled, renewed: false });
  }
  if (input.wait === true) planWaitForAll(state);
  return builder.plan();
}

/** Stops containers against the order of dependencies. */
export function planStop(input: LifecycleInput): Plan {
  const builder = new PlanBuilder();
  const project = optionalDependencies(input.project);
  const graph = dependencyGraph(project);
  const chosen = input.services ?? [];
  const over = new Map<string, readonly string[]>();
  for (const name of graph.order.toReversed()) {
    const dependents = (graph.neededBy[name] ?? []).flatMap((dependent) => over.get(dependent) ?? []);
    const own = input.observed.containers.filter(({ service, oneOff }) => service === name && !oneOff);
    const isChosen = chosen.length === 0 || chosen.includes(name);
    const steps = (isChosen ? own : []).map((container) =>
      builder.add(`stop ${container.name}`, 'as asked for', dependents, {
        kind: 'stop-container',
        container: refTo(container),
        service: isUp(container) ? project.services[name] : undefined,
        timeout: input.timeout,
        quiet: false,
      }),
    );
    over.set(name, steps.length === 0 ? dependents : steps);
  }
  return builder.plan();
}
