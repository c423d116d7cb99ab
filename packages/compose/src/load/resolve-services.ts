import { WharfError } from '@wharf/kit/errors';
import type { Project } from '../model/project.ts';
import type { EnvFile, Service } from '../model/service.ts';
import { readText } from './context.ts';
import { parseDotenv, parseRawEnv } from './dotenv.ts';

type Unset = (name: string) => void;

/** Reads each enabled service's `env_file`s into its `environment`, which wins over them, and forgets the files. */
export function resolveServiceEnvironments(project: Project, unset: Unset): Project {
  return mapServices(project, (service) => resolveEnvironment(service, project.environment, unset));
}

/** Reads each enabled service's `label_file`s into its `labels`, which win over them. */
export function resolveServiceLabels(project: Project, options: { discard: boolean; unset: Unset }): Project {
  return mapServices(project, (service) => resolveLabels(service, options));
}

function mapServices(project: Project, change: (service: Service) => Service): Project {
  const services = Object.fromEntries(
    Object.entries(project.services).map(([name, service]) => [name, change(service)]),
  );
  return { ...project, services };
}

function resolveEnvironment(service: Service, environment: Project['environment'], unset: Unset): Service {
  const { env_file: files, ...rest } = service;
  if (files === undefined && service.environment === undefined) return service;
  const own: Record<string, string | null> = {};
  for (const [name, value] of Object.entries(service.environment ?? {}))
    own[name] = value ?? (Object.hasOwn(environment, name) ? (environment[name] ?? null) : null);
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(own)) if (value !== null) values.set(name, value);
  const lookup = (name: string): string | undefined =>
    (Object.hasOwn(environment, name) ? environment[name] : undefined) ??
    (Object.hasOwn(own, name) ? (own[name] ?? undefined) : undefined);
  for (const file of files ?? []) readServiceEnv(file, values, { lookup, unset });
  const all = { ...Object.fromEntries(values), ...own };
  return Object.keys(all).length === 0 ? rest : { ...rest, environment: all };
}

function readServiceEnv(
  file: EnvFile,
  into: Map<string, string>,
  options: { lookup: (name: string) => string | undefined; unset: Unset },
): void {
  if (isMissing(file.path)) {
    if (!file.required) return;
    throw new WharfError('not-found', `env file ${file.path} not found: stat ${file.path}: no such file or directory`, {
      hint: 'create the file, or write it as "path: …" with "required: false"',
    });
  }
  const parse = { file: file.path, lookup: options.lookup, unset: options.unset };
  if (file.format === 'raw') parseRawEnv(readText(file.path), into, parse);
  else if (file.format === undefined || file.format === '.env') parseDotenv(readText(file.path), into, parse);
  else throw new WharfError('invalid-argument', `unsupported env_file format ${JSON.stringify(file.format)}`);
}

function resolveLabels(service: Service, options: { discard: boolean; unset: Unset }): Service {
  const { label_file: files, ...rest } = service;
  if (files === undefined) return service;
  const values = new Map<string, string>();
  for (const file of files) {
    if (isMissing(file))
      throw new WharfError('not-found', `label file ${file} not found: stat ${file}: no such file or directory`);
    const own = new Map<string, string>();
    parseDotenv(readText(file), own, { file, lookup: (name) => values.get(name), unset: options.unset });
    for (const [name, value] of own) values.set(name, value);
  }
  const labels = { ...Object.fromEntries(values), ...service.labels };
  const base = options.discard ? rest : service;
  return Object.keys(labels).length === 0 ? base : { ...base, labels };
}

function isMissing(path: string): boolean {
  return process.getBuiltinModule('node:fs').statSync(path, { throwIfNoEntry: false }) === undefined;
}
