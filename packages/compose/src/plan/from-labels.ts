import { WharfError } from '@wharf/kit';
import { DEPENDS_ON, NETWORK, PROJECT, parseDependenciesLabel, VOLUME } from '../convert/labels.ts';
import type { Project } from '../model/project.ts';
import type { Observed } from './observed.ts';

/**
 * The project as labels of what there is tell it, for commands without a file: services with their dependencies, networks
 * and volumes by name. Throws `not-found` when there is nothing of that name and `mayBeEmpty` is not set.
 */
export function projectFromLabels(
  name: string,
  observed: Observed,
  { mayBeEmpty, required }: { readonly mayBeEmpty: boolean; readonly required: boolean },
): Project {
  const own = observed.containers.filter(({ oneOff }) => !oneOff);
  if (own.length === 0 && !mayBeEmpty) {
    throw new WharfError('not-found', `no container found for project ${JSON.stringify(name)}: not found`);
  }
  const services: Record<string, Project['services'][string]> = {};
  for (const { service, image, labels } of own) {
    const before = services[service];
    const depends_on = Object.fromEntries(
      Object.entries(parseDependenciesLabel(labels[DEPENDS_ON] ?? '')).map(([target, dependency]) => [
        target,
        { ...dependency, required },
      ]),
    );
    services[service] = { image, labels, depends_on, scale: (before?.scale ?? 0) + 1 };
  }
  const keyed = <T extends { readonly labels: Readonly<Record<string, string>> }>(list: readonly T[], key: string) =>
    list.flatMap((one) => {
      const label = one.labels[key];
      return one.labels[PROJECT] === name && label !== undefined ? [[label, one] as const] : [];
    });
  return {
    name,
    workingDir: '',
    services,
    networks: Object.fromEntries(
      keyed(observed.networks, NETWORK).map(([key, network]) => [
        key,
        { name: network.name, driver: network.driver, labels: network.labels, ipam: {} },
      ]),
    ),
    volumes: Object.fromEntries(
      keyed(observed.volumes, VOLUME).map(([key, volume]) => [
        key,
        { name: volume.name, driver: volume.driver, labels: volume.labels },
      ]),
    ),
    secrets: {},
    configs: {},
    models: {},
    extensions: {},
    composeFiles: [],
    environment: {},
    disabledServices: {},
    profiles: [],
  };
}
