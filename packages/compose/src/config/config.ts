import { WharfError } from '@wharf/kit/errors';
import { formatCanonical, parseReference, trimReference, withDefaultTag } from '@wharf/kit/reference';
import { checkContainerNames } from '../load/consistency.ts';
import { type LoadOptions, loadProject } from '../load/load-project.ts';
import { loadSettledModel } from '../load/load-settled-model.ts';
import { Problem } from '../load/problem.ts';
import { allServices, noSuchService } from '../load/select.ts';
import { byCodePoint, type Dict, dict, dictAt, isDict } from '../load/values.ts';
import type { Project } from '../model/project.ts';
import type { Service } from '../model/service.ts';
import { serviceHash } from './hash.ts';
import { renderDocument, renderImages, renderProject } from './render.ts';
import { type Variable, variablesOf } from './variables.ts';

/** What `config` prints, beside what is loaded. */
export interface ConfigOptions {
  readonly format: 'yaml' | 'json';
  /** `--resolve-image-digests`: answers the digest (`sha256:…`) of a reference as the registry has it now. */
  readonly resolveDigest?: (reference: string) => Promise<string>;
  /** `--lock-image-digests`: prints images and nothing else. */
  readonly imagesOnly?: boolean;
}

/**
 * A project in canonical form, as `docker compose config` prints it; with `interpolate: false` the document with its
 * variables. Throws as `loadProject` does.
 */
export async function renderConfig(load: LoadOptions, options: ConfigOptions): Promise<string> {
  if (load.interpolate === false) return renderUninterpolated(load, options);
  let project = await loadProject({ resolveEnvironment: 'all', ...load, discardLabelFiles: true });
  if (options.resolveDigest !== undefined) project = await withDigests(project, options.resolveDigest);
  if (load.checkConsistency !== false) refuseSameNames(project);
  return options.imagesOnly === true ? renderImages(project, options.format) : renderProject(project, options.format);
}

async function renderUninterpolated(load: LoadOptions, options: ConfigOptions): Promise<string> {
  const { document } = await loadSettledModel(load);
  const services = dictAt(document, 'services') ?? dict();
  for (const service of Object.values(services)) {
    if (!isDict(service) || typeof service['image'] !== 'string' || options.resolveDigest === undefined) continue;
    service['image'] = await pinned(service['image'], options.resolveDigest);
  }
  return renderDocument(options.imagesOnly === true ? imagesOf(document) : document, options.format);
}

function imagesOf(document: Dict): Dict {
  const services = dictAt(document, 'services');
  if (services === undefined) return dict();
  const images = dict();
  for (const [name, service] of Object.entries(services))
    images[name] = isDict(service) && service['image'] !== undefined ? dict({ image: service['image'] }) : dict();
  return dict({ services: images });
}

function refuseSameNames(project: Project): void {
  try {
    checkContainerNames(project);
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    throw new WharfError('invalid-argument', error.message, {
      ...(error.suggestion === undefined ? {} : { hint: error.suggestion }),
      cause: error,
    });
  }
}

async function withDigests(project: Project, resolve: (reference: string) => Promise<string>): Promise<Project> {
  const entries = await Promise.all(
    Object.entries(project.services).map(async ([name, service]): Promise<[string, Service]> => {
      return service.image === undefined
        ? [name, service]
        : [name, { ...service, image: await pinned(service.image, resolve) }];
    }),
  );
  return { ...project, services: Object.fromEntries(entries) };
}

async function pinned(image: string, resolve: (reference: string) => Promise<string>): Promise<string> {
  const reference = parseReference(image);
  // A digest says it all: the tag beside it is dropped.
  if (reference.digest !== undefined) return `${formatCanonical(trimReference(reference))}@${reference.digest}`;
  const name = formatCanonical(withDefaultTag(reference));
  return `${name}@${await resolve(name)}`;
}

/** `--services`: what is depended on comes before what depends on it, else by name. */
export async function configServices(load: LoadOptions): Promise<readonly string[]> {
  if (load.interpolate === false) {
    const { document } = await loadSettledModel(load);
    return Object.keys(dictAt(document, 'services') ?? dict()).sort(byCodePoint);
  }
  const project = await loadProject({ ...load, services: [], resolveEnvironment: false });
  const ordered = new Set<string>();
  for (const name of Object.keys(project.services).sort(byCodePoint)) addAfterDependencies(name, project, ordered);
  return [...ordered];
}

function addAfterDependencies(name: string, project: Project, ordered: Set<string>): void {
  const service = project.services[name];
  if (service === undefined || ordered.has(name)) return;
  for (const other of Object.keys(service.depends_on ?? {}).sort(byCodePoint))
    addAfterDependencies(other, project, ordered);
  ordered.add(name);
}

/** `--volumes`, `--networks`: names of those that enabled services use. `--models`: what they run. */
export async function configResources(
  load: LoadOptions,
  kind: 'volumes' | 'networks' | 'models',
): Promise<readonly string[]> {
  const project = await loadProject({ ...load, services: [], resolveEnvironment: false });
  if (kind !== 'models') return Object.keys(project[kind]).sort(byCodePoint);
  return Object.values(project.models).flatMap(({ model }) => (model === undefined ? [] : [model]));
}

/** `--profiles`: all that any service is under. */
export async function configProfiles(load: LoadOptions): Promise<readonly string[]> {
  const project = await loadProject({ ...load, resolveEnvironment: false });
  const profiles = Object.values(allServices(project)).flatMap((service) => service.profiles ?? []);
  return [...new Set(profiles)].sort(byCodePoint);
}

/** `--images`: one per service; a service that is only built has the name its image gets. */
export async function configImages(load: LoadOptions): Promise<readonly string[]> {
  const project = await loadProject({ ...load, resolveEnvironment: false });
  return Object.keys(project.services)
    .sort(byCodePoint)
    .map((name) => project.services[name]?.image ?? `${project.name}-${name}`);
}

/** `--hash`: name and hash of the named services, of all when there are none. Throws `no such service: x`. */
export async function configHashes(
  load: LoadOptions,
  names: readonly string[],
): Promise<readonly (readonly [string, string])[]> {
  const project = await loadProject({ ...load, services: [], resolveEnvironment: false, discardLabelFiles: true });
  const chosen = names.length === 0 ? Object.keys(project.services) : names;
  return [...chosen].sort(byCodePoint).map((name) => {
    const service = project.services[name];
    if (service === undefined) throw missingService(project, name);
    return [name, serviceHash(withDefaultPlatform(name, service, project))];
  });
}

function missingService(project: Project, name: string): WharfError {
  const error = noSuchService(name);
  const why = Object.hasOwn(project.disabledServices, name) ? 'disabled' : 'not found';
  return new WharfError('not-found', `${error.message}: ${why}`, { code: 'no-such-service' });
}

/** A service that is built runs on `DOCKER_DEFAULT_PLATFORM`, unless it says otherwise. */
function withDefaultPlatform(name: string, service: Service, project: Project): Service {
  const standard = project.environment['DOCKER_DEFAULT_PLATFORM'] ?? '';
  if (service.build === undefined || service.platform !== undefined || standard === '') return service;
  const platforms = service.build.platforms ?? [];
  if (platforms.length > 0 && !platforms.includes(standard))
    throw new WharfError(
      'invalid-argument',
      `service "${name}" build.platforms does not support value set by DOCKER_DEFAULT_PLATFORM: ${standard}`,
    );
  return { ...service, platform: standard };
}

/** `--variables`: what the files ask of the environment. */
export async function configVariables(load: LoadOptions): Promise<readonly Variable[]> {
  const { document } = await loadSettledModel({ ...load, interpolate: false });
  return variablesOf(document);
}

/** `--environment`: what variables are replaced from, `NAME=value`, sorted. */
export async function configEnvironment(load: LoadOptions): Promise<readonly string[]> {
  const project = await loadProject({ resolveEnvironment: 'all', ...load, discardLabelFiles: true });
  return Object.entries(project.environment)
    .map(([name, value]) => `${name}=${value}`)
    .sort(byCodePoint);
}
