import assert from 'node:assert/strict';
import { networkHash, serviceHash, volumeHash } from '../config/hash.ts';
import { CONFIG_HASH, CONTAINER_NUMBER, IMAGE, NETWORK, PROJECT, VOLUME } from '../convert/labels.ts';
import type { Project } from '../model/project.ts';
import type { Network, Volume } from '../model/resources.ts';
import type { Service } from '../model/service.ts';
import type { Observed, ObservedContainer } from './observed.ts';
import { resolveReferences } from './references.ts';
import type { Plan } from './steps.ts';

/** A project of the services; each runs `image` and is in the network `default` unless it says otherwise. */
export function project(services: Readonly<Record<string, Service>>, more: Partial<Project> = {}): Project {
  const full = Object.entries(services).map(([name, service]) => {
    const networks = service.network_mode === undefined ? { networks: { default: null } } : {};
    return [name, { image: 'img', ...networks, ...service }] as const;
  });
  return {
    name: 'app',
    workingDir: '/app',
    services: Object.fromEntries(full),
    networks: { default: { name: 'app_default', ipam: {} } },
    volumes: {},
    secrets: {},
    configs: {},
    models: {},
    extensions: {},
    composeFiles: ['/app/compose.yaml'],
    environment: {},
    disabledServices: {},
    profiles: [],
    ...more,
  };
}

export const needs = (condition = 'service_started', more: { restart?: boolean; required?: boolean } = {}) => ({
  condition,
  required: true,
  ...more,
});

/** What there is after `up` of that project: everything, running and as it should be. */
export function observed(of: Project, change: Partial<Observed> = {}): Observed {
  const networks = Object.entries(of.networks).map(([key, network]) => observedNetwork(key, network));
  const containers = Object.entries(of.services).flatMap(([name, service]) =>
    Array.from({ length: service.scale ?? 1 }, (_none, index) => container(of, name, index + 1)),
  );
  return {
    containers,
    networks,
    volumes: Object.entries(of.volumes).map(([key, volume]) => observedVolume(key, volume)),
    images: { img: { id: 'sha256:img', volumes: [], taggedAtMs: 0, platform: 'linux/amd64' } },
    daemon: { apiVersion: '1.50', movesPorts: false, restartsUnhealthy: false },
    ...change,
  };
}

/** Nothing is there but the image. */
export function nothing(of: Project, change: Partial<Observed> = {}): Observed {
  return observed(of, { containers: [], networks: [], volumes: [], ...change });
}

export function observedNetwork(key: string, network: Network): Observed['networks'][number] {
  const labels = { [PROJECT]: 'app', [NETWORK]: key, [CONFIG_HASH]: networkHash(network) };
  return { id: `net-${network.name}`, name: network.name ?? key, driver: 'bridge', labels };
}

export function observedVolume(key: string, volume: Volume): Observed['volumes'][number] {
  const labels = { [PROJECT]: 'app', [VOLUME]: key, [CONFIG_HASH]: volumeHash(volume) };
  return { name: volume.name ?? key, driver: 'local', labels };
}

/** A container of the service, running and as it should be; `change` makes it otherwise. */
export function container(
  of: Project,
  service: string,
  number = 1,
  change: Partial<ObservedContainer> = {},
): ObservedContainer {
  const config = resolveReferences(of.services[service] ?? {}, (target) => idOf(`app-${target}-1`));
  const name = config.container_name ?? `app-${service}-${number}`;
  return {
    id: idOf(name),
    name,
    service,
    number,
    oneOff: false,
    status: 'running',
    image: 'img',
    createdAt: 1,
    networkIds: Object.keys(config.networks ?? {}).map((key) => `net-${of.networks[key]?.name}`),
    networkNames: Object.keys(config.networks ?? {}).flatMap((key) => of.networks[key]?.name ?? []),
    mounts: (config.volumes ?? []).map(({ type = '', source = '', target = '' }) => ({
      type,
      name: type === 'volume' ? (of.volumes[source]?.name ?? source) : '',
      source,
      target,
      writable: true,
    })),
    ...change,
    labels: {
      [PROJECT]: 'app',
      [CONFIG_HASH]: serviceHash(config),
      [IMAGE]: 'sha256:img',
      [CONTAINER_NUMBER]: String(number),
      ...change.labels,
    },
  };
}

export const idOf = (name: string): string => `id-${name}`.padEnd(64, '0');

/** The plan's steps as lines: `create app-web-1 (it is not there) after create network app_default`. */
export function lines(plan: Plan): readonly string[] {
  return plan.steps.map(({ id, reason, needs: after }) => {
    return `${id} (${reason})${after.length === 0 ? '' : ` after ${after.join(', ')}`}`;
  });
}

/** Compares a plan with the lines it is to have. */
export function expectSteps(plan: Plan, wanted: readonly string[]): void {
  assert.deepEqual(lines(plan), wanted);
}
