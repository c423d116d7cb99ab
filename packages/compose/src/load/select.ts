import { WharfError } from '@wharf/kit/errors';
import type { Project } from '../model/project.ts';
import type { Dependency, Service } from '../model/service.ts';
import { matchesGlob } from './match-glob.ts';

type Services = Record<string, Service>;

/** Which further services the named ones bring along. */
export type SelectPolicy = 'dependencies' | 'dependents' | 'none';

/** Switches services on and off by profiles (`*`: all). What an enabled service requires is enabled with it. */
export function withProfiles(project: Project, profiles: readonly string[]): Project {
  const all = allServices(project);
  const enabled = new Set<string>();
  const enable = (name: string): void => {
    const service = Object.hasOwn(all, name) ? all[name] : undefined;
    if (service === undefined || enabled.has(name)) return;
    enabled.add(name);
    for (const [other, dependency] of Object.entries(service.depends_on ?? {})) if (dependency.required) enable(other);
  };
  for (const [name, service] of Object.entries(all)) if (isEnabled(service, profiles)) enable(name);
  const services: Services = {};
  const disabledServices: Services = {};
  for (const [name, service] of Object.entries(all)) (enabled.has(name) ? services : disabledServices)[name] = service;
  return { ...project, services, disabledServices, profiles };
}

/** Switches on services that are asked for by name, with the profiles they are under. */
export function withServicesEnabled(project: Project, names: readonly string[]): Project {
  if (names.length === 0) return project;
  const more = names.flatMap((name) => project.disabledServices[name]?.profiles ?? []);
  return withProfiles(project, [...project.profiles, ...more]);
}

/**
 * Keeps the named services (patterns such as `web*` too) and what they bring along; the rest is disabled. Without names
 * all stay. Throws `not-found` (`no such service: x`).
 */
export function withSelectedServices(
  project: Project,
  names: readonly string[],
  policy: SelectPolicy = 'dependencies',
): Project {
  if (names.length === 0) return project;
  const selected = new Set<string>();
  select(project, names, policy, selected, undefined);
  const services: Services = {};
  const disabledServices: Services = { ...project.disabledServices };
  for (const [name, service] of Object.entries(project.services)) {
    if (!selected.has(name)) disabledServices[name] = service;
    else services[name] = withDependencies(service, (other) => selected.has(other));
  }
  return { ...project, services, disabledServices };
}

/** Drops networks, volumes, secrets, configs and models that no enabled service uses. */
export function withoutUnusedResources(project: Project): Project {
  const used = { networks: new Set<string>(), volumes: new Set<string>(), secrets: new Set<string>() };
  const others = { configs: new Set<string>(), models: new Set<string>() };
  for (const service of Object.values(project.services)) {
    for (const name of Object.keys(service.networks ?? {})) used.networks.add(name);
    for (const mount of service.volumes ?? [])
      if (mount.type === 'volume' && mount.source !== undefined) used.volumes.add(mount.source);
    for (const secret of [...(service.secrets ?? []), ...(service.build?.secrets ?? [])])
      used.secrets.add(secret.source ?? '');
    for (const config of service.configs ?? []) others.configs.add(config.source ?? '');
    for (const name of Object.keys(service.models ?? {})) others.models.add(name);
  }
  return {
    ...project,
    networks: keep(project.networks, used.networks),
    volumes: keep(project.volumes, used.volumes),
    secrets: keep(project.secrets, used.secrets),
    configs: keep(project.configs, others.configs),
    models: keep(project.models, others.models),
  };
}

/** Enabled and disabled services. */
export function allServices(project: Project): Readonly<Record<string, Service>> {
  return { ...project.services, ...project.disabledServices };
}

/** The services that depend on this one, with how they do. */
export function dependentsOf(project: Project, name: string): Readonly<Record<string, Dependency>> {
  const found: Record<string, Dependency> = {};
  for (const [other, service] of Object.entries(project.services)) {
    const dependency = service.depends_on?.[name];
    if (dependency !== undefined) found[other] = dependency;
  }
  return found;
}

function isEnabled(service: Service, profiles: readonly string[]): boolean {
  const own = service.profiles ?? [];
  return own.length === 0 || profiles.some((profile) => profile === '*' || own.includes(profile));
}

function select(
  project: Project,
  names: readonly string[],
  policy: SelectPolicy,
  selected: Set<string>,
  as: Readonly<Record<string, Dependency>> | undefined,
): void {
  for (const pattern of names) {
    const found = Object.keys(project.services).filter((name) => name === pattern || matchesGlob(pattern, name));
    if (found.length === 0 && as?.[pattern]?.required !== false) throw noSuchService(pattern);
    for (const name of found) {
      if (selected.has(name)) continue;
      selected.add(name);
      const next = policy === 'dependents' ? dependentsOf(project, name) : (project.services[name]?.depends_on ?? {});
      if (policy !== 'none') select(project, Object.keys(next), policy, selected, next);
    }
  }
}

/** The error for a service that is not there, in compose's words. */
export function noSuchService(name: string): WharfError {
  return new WharfError('not-found', `no such service: ${name}`, {
    code: 'no-such-service',
    hint: 'list the services with "config --services"',
  });
}

function withDependencies(service: Service, keepName: (name: string) => boolean): Service {
  const dependsOn = service.depends_on;
  if (dependsOn === undefined) return service;
  const kept = Object.fromEntries(Object.entries(dependsOn).filter(([name]) => keepName(name)));
  const { depends_on: _, ...rest } = service;
  return Object.keys(kept).length === 0 ? rest : { ...rest, depends_on: kept };
}

function keep<T>(resources: Readonly<Record<string, T>>, used: ReadonlySet<string>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(resources).filter(([name]) => used.has(name)));
}
