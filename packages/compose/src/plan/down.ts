import { NETWORK, PROJECT } from '../convert/labels.ts';
import type { Project } from '../model/project.ts';
import { PlanBuilder } from './builder.ts';
import { dependencyGraph, withDependents } from './dependencies.ts';
import type { Observed, ObservedContainer } from './observed.ts';
import { orphansOf } from './orphans.ts';
import { refTo } from './refs.ts';
import type { Plan } from './steps.ts';

export interface DownInput {
  readonly project: Project;
  readonly observed: Observed;
  /** Only these, and what depends on them; empty: all. */
  readonly services?: readonly string[] | undefined;
  readonly removeOrphans?: boolean | undefined;
  readonly volumes?: boolean | undefined;
  /** Images to remove, by name; which these are, the runner asks the daemon. */
  readonly images?: readonly string[] | undefined;
  readonly timeout?: number | undefined;
}

/** What takes a project down: containers against the order of their dependencies, then networks, volumes and images. Pure. */
export function planDown(input: DownInput): Plan {
  const { project, observed, services = [] } = input;
  const builder = new PlanBuilder();
  const graph = dependencyGraph(optionalDependencies(project));
  const chosen = services.length === 0 ? undefined : withDependents(graph, services);
  const gone = new Map<string, readonly string[]>();
  const all: string[] = [];
  for (const name of graph.order.toReversed()) {
    const dependents = (graph.neededBy[name] ?? []).flatMap((dependent) => gone.get(dependent) ?? []);
    const own = observed.containers.filter(
      ({ service, oneOff }) => service === name && (!oneOff || input.removeOrphans === true),
    );
    const steps = chosen?.has(name) === false ? [] : own.flatMap((one) => planRemoval(builder, input, one, dependents));
    gone.set(name, steps.length === 0 ? dependents : steps);
    all.push(...steps);
  }
  if (input.removeOrphans === true) {
    const known = new Set(Object.keys(project.services));
    const orphans = orphansOf(project, observed).filter(({ service }) => !known.has(service));
    for (const orphan of orphans) all.push(...planRemoval(builder, { ...input, volumes: false }, orphan, []));
  }
  planResources(builder, input, all);
  return builder.plan();
}

function planRemoval(
  builder: PlanBuilder,
  input: DownInput,
  container: ObservedContainer,
  needs: readonly string[],
): readonly string[] {
  const stop = builder.add(`stop ${container.name}`, 'the project is taken down', needs, {
    kind: 'stop-container',
    container: refTo(container),
    service: input.project.services[container.service],
    timeout: input.timeout,
    quiet: false,
  });
  const remove = builder.add(`remove ${container.name}`, 'the project is taken down', [stop], {
    kind: 'remove-container',
    container: refTo(container),
    volumes: input.volumes === true,
    force: true,
  });
  return [remove];
}

function planResources(
  builder: PlanBuilder,
  { project, observed, volumes, images }: DownInput,
  needs: readonly string[],
) {
  for (const [key, { name = key, external }] of Object.entries(project.networks)) {
    if (external === true) continue;
    for (const network of observed.networks) {
      if (network.name !== name || network.labels[PROJECT] !== project.name || network.labels[NETWORK] !== key)
        continue;
      const body = { kind: 'remove-network', network: network.id, name, inUseIsFine: true } as const;
      builder.add(`remove network ${name}`, 'the project is taken down', needs, body);
    }
  }
  for (const image of images ?? []) {
    builder.add(`remove image ${image}`, '--rmi', needs, { kind: 'remove-image', image });
  }
  if (volumes !== true) return;
  for (const [key, { name = key, external }] of Object.entries(project.volumes)) {
    if (external === true || !observed.volumes.some((volume) => volume.name === name)) continue;
    builder.add(`remove volume ${name}`, '--volumes', needs, { kind: 'remove-volume', name });
  }
}

/** Taking down must work for what is left of a project, too: a dependency that is not there is none. */
export function optionalDependencies(project: Project): Project {
  const services = Object.entries(project.services).map(([name, service]) => {
    const entries = Object.entries(service.depends_on ?? {});
    const own = entries.filter(([target]) => Object.hasOwn(project.services, target));
    return [name, { ...service, depends_on: Object.fromEntries(own) }] as const;
  });
  return { ...project, services: Object.fromEntries(services) };
}
