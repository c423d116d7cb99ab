import { WharfError } from '@wharf/kit';
import type { Service } from '../model/service.ts';
import { linkedServices, referencedServices } from './references.ts';
import type { ContainerRef } from './steps.ts';
import { containersOf, planStop, type UpState } from './up-state.ts';

/** Services with `restart: true` for this one stop before it is replaced; they start again after it. */
export function stopDependents(state: UpState, name: string, needs: readonly string[]): readonly string[] {
  const dependents = (state.graph.neededBy[name] ?? []).filter(
    (dependent) => state.graph.needs[dependent]?.[name]?.restart === true,
  );
  return dependents.flatMap((dependent) =>
    containersOf(state, dependent).flatMap(
      (container) => planStop(state, container, { reason: `${name} is made anew`, needs }) ?? [],
    ),
  );
}

export interface Creation {
  readonly name: string;
  readonly service: Service;
  readonly ref: ContainerRef;
  readonly number: number;
  readonly as: string;
  readonly reason: string;
  readonly needs: readonly string[];
  readonly replaces?: ContainerRef;
  readonly publish?: boolean;
}

/** Adds the step that creates a container, after all that it mounts, joins and refers to. */
export function planCreate(state: UpState, creation: Creation): string {
  const { service, ref, number, as, reason, needs, replaces, publish = true } = creation;
  const { input } = state;
  const networks = service.network_mode === undefined ? Object.keys(service.networks ?? { default: null }) : [];
  const volumes = (service.volumes ?? []).flatMap(({ type, source }) => (type === 'volume' && source ? [source] : []));
  const targets = [...new Set([...referencedServices(service), ...linkedServices(service)])];
  const references: Record<string, ContainerRef> = {};
  const linked: Record<string, readonly string[]> = {};
  const referenceSteps: string[] = [];
  for (const target of targets) {
    const replicas = state.services.get(target)?.replicas ?? [];
    const [first] = replicas;
    if (first === undefined && referencedServices(service).includes(target)) {
      throw new WharfError('failed-precondition', `cannot share namespace with service ${target}: container missing`);
    }
    if (first !== undefined) references[target] = first.ref;
    linked[target] = replicas.map((replica) => replica.ref.name);
    referenceSteps.push(...replicas.flatMap(({ ready }) => ready));
  }
  const all = [
    ...networks.flatMap((key) => state.networks.ready[key] ?? []),
    ...volumes.flatMap((key) => state.volumes.ready[key] ?? []),
    ...state.cleared,
    ...referenceSteps,
    ...needs,
  ];
  return state.builder.add(`create ${as}`, reason, all, {
    kind: 'create-container',
    container: ref,
    service,
    number,
    as,
    ...(replaces === undefined ? {} : { replaces }),
    inheritVolumes: replaces !== undefined && input.renewAnonVolumes !== true,
    publish,
    references,
    linked,
  });
}
