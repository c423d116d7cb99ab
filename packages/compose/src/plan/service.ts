import { WharfError } from '@wharf/kit';
import { CONFIG_HASH } from '../convert/labels.ts';
import { containerName, temporaryName } from '../convert/names.ts';
import type { Service } from '../model/service.ts';
import { planCreate, stopDependents } from './create.ts';
import { divergence } from './diverged.ts';
import type { ObservedContainer } from './observed.ts';
import { newRef, refTo } from './refs.ts';
import { assignReplicas } from './replicas.ts';
import { CANDIDATE_PREFIX, planRollout, rollsOut } from './rollout.ts';
import { planStart } from './start.ts';
import { containersOf, planStop, type Replica, type ServiceState, scaleOf, type UpState, wellOf } from './up-state.ts';

/** Plans all steps of one service; those it depends on are planned. */
export function planService(state: UpState, name: string): ServiceState {
  const { input } = state;
  const written = input.project.services[name] as Service;
  // An optional dependency that is not there is none: docker compose's label leaves it out.
  const service =
    written.depends_on === undefined ? written : { ...written, depends_on: state.graph.needs[name] ?? {} };
  const expected = scaleOf(input, name, service);
  if (expected > 1 && service.container_name !== undefined) {
    throw new WharfError(
      'invalid-argument',
      `WARNING: The ${JSON.stringify(name)} service is using the custom container name ${JSON.stringify(service.container_name)}. Docker requires each container to have a unique name. Remove the custom name to scale the service`,
    );
  }
  const isAskedFor = (input.services ?? []).length === 0 || input.services?.includes(name) === true;
  const finalName = (number: number): string => containerName(input.project.name, { ...service, name }, number);
  const replicas = assignReplicas(
    containersOf(state, name).filter(({ id }) => !state.volumes.removedContainers.has(id)),
    expected,
    {
      diverged: divergence({
        input,
        name,
        service,
        policy: (isAskedFor ? input.recreate : input.recreateDependencies) ?? 'diverged',
        stayingId: (target) => stayingId(state, target),
        networkIds: state.networks.ids,
        renewedNetworks: state.networks.renewed,
      }),
      discarded: ({ labels }) => labels[CONFIG_HASH]?.startsWith(CANDIDATE_PREFIX) === true,
      finalName,
    },
  );
  const gone = replicas.removed.map(({ container, reason }) => planRemoval(state, container, reason));
  const renewed = replicas.kept.filter(({ diverged }) => diverged !== undefined);
  const rolling = rollsOut(state, name, service, renewed);
  const done: Replica[] = [];
  for (const { container, diverged } of replicas.kept) {
    if (diverged === undefined) done.push(keep(state, container, finalName(container.number), gone));
    else if (!rolling) done.push(recreate(state, { name, service, container, reason: diverged, gone, finalName }));
  }
  if (rolling) done.push(...planRollout(state, { name, service, renewed, gone, finalName }));
  for (const number of replicas.fresh) {
    const final = finalName(number);
    const ref = newRef(name, final);
    const removed = [...state.volumes.removedContainers.values()];
    const step = planCreate(state, {
      name,
      service,
      ref,
      number,
      as: final,
      reason: 'it is not there',
      needs: [...gone, ...removed],
    });
    done.push({ ref, number, ready: [step], running: false, fresh: true });
  }
  const sorted = done.toSorted((a, b) => (a.ref.name < b.ref.name ? -1 : 1));
  const settled = input.start ? planStart(state, name, service, sorted) : sorted.flatMap(({ ready }) => ready);
  return { replicas: sorted, settled, renewed: sorted[0]?.ref.id === undefined };
}

/** The first container of a service, when it stays what it is. */
function stayingId(state: UpState, target: string): string | undefined {
  return state.services.get(target)?.replicas[0]?.ref.id;
}

function planRemoval(state: UpState, container: ObservedContainer, reason: string): string {
  const stop = planStop(state, container, { reason });
  return state.builder.add(`remove ${container.name}`, reason, stop === undefined ? [] : [stop], {
    kind: 'remove-container',
    container: refTo(container),
    volumes: false,
    force: true,
  });
}

/** It stays. A name that a replacement had for a time becomes its own. */
function keep(state: UpState, container: ObservedContainer, final: string, gone: readonly string[]): Replica {
  const stopped = state.stopped.get(container.id);
  const ready = stopped === undefined ? [] : [stopped];
  const fresh = container.status === 'created';
  const running = stopped === undefined && container.status === 'running';
  if (running) state.builder.leave(refTo(container));
  if (container.name === final || !container.name.endsWith(`_${final}`)) {
    const well = running ? wellOf(container) : undefined;
    return {
      ref: refTo(container),
      number: container.number,
      ready: reconnected(state, container, ready),
      running,
      fresh,
      well,
    };
  }
  const ref = refTo(container, final);
  const rename = state.builder.add(
    `rename ${container.name} to ${final}`,
    'its replacement was cut off',
    [...gone, ...ready],
    {
      kind: 'rename-container',
      container: ref,
      to: final,
      replaces: false,
    },
  );
  return { ref, number: container.number, ready: reconnected(state, container, [rename]), running, fresh };
}

/** Networks that are made anew take back containers that are not recreated (`--no-recreate`). */
function reconnected(state: UpState, container: ObservedContainer, ready: readonly string[]): readonly string[] {
  const service = state.input.project.services[container.service];
  const keys = Object.keys(service?.networks ?? {}).filter((key) => state.networks.renewed.has(key));
  if (service === undefined || keys.length === 0) return ready;
  return keys.map((key) => {
    const needs = [...ready, ...(state.networks.ready[key] ?? [])];
    const body = {
      kind: 'connect',
      network: key,
      container: refTo(container),
      service,
      number: container.number,
    } as const;
    return state.builder.add(`connect ${container.name} to ${key}`, `network ${key} is made anew`, needs, body);
  });
}

interface Recreation {
  readonly name: string;
  readonly service: Service;
  readonly container: ObservedContainer;
  readonly reason: string;
  readonly gone: readonly string[];
  readonly finalName: (number: number) => string;
}

/** A new container under another name; the old one stops and goes; the new one takes its name. */
function recreate(state: UpState, { name, service, container, reason, gone, finalName }: Recreation): Replica {
  const final = finalName(container.number);
  const old = refTo(container, final);
  const ref = newRef(name, final);
  const dependents = stopDependents(state, name, []);
  const create = planCreate(state, {
    name,
    service,
    ref,
    number: container.number,
    as: temporaryName(container.id, final),
    reason,
    needs: gone,
    replaces: old,
  });
  const stop = planStop(state, container, { reason, needs: [create, ...dependents], quiet: true });
  const remove = state.builder.add(
    `remove ${container.name}`,
    reason,
    [create, ...dependents, ...(stop === undefined ? [] : [stop])],
    {
      kind: 'remove-container',
      container: old,
      volumes: false,
      force: false,
      replaced: ref,
    },
  );
  const rename = state.builder.add(`rename new ${final}`, reason, [remove], {
    kind: 'rename-container',
    container: ref,
    to: final,
    replaces: true,
  });
  return { ref, number: container.number, ready: [rename], running: false, fresh: true };
}
