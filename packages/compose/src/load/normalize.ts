import { type Dict, dict, dictAt, goString, isDict, type Value } from './values.ts';
import { cleanPath } from './volume-spec.ts';

type Environment = Readonly<Record<string, string>>;

/**
 * Settles what a document leaves unsaid, in place: the `default` network, the Dockerfile's name, values of variables,
 * dependencies that links and shared namespaces imply, and the names of resources.
 */
export function normalize(document: Dict, projectName: string, environment: Environment): void {
  document['name'] = projectName;
  const services = dictAt(document, 'services');
  defaultNetwork(document, services);
  for (const service of Object.values(services ?? {})) if (isDict(service)) normalizeService(service, environment);
  for (const kind of ['networks', 'volumes', 'configs', 'secrets']) nameResources(dictAt(document, kind), projectName);
}

function defaultNetwork(document: Dict, services: Dict | undefined): void {
  let used = false;
  for (const service of Object.values(services ?? {})) {
    if (!isDict(service) || 'provider' in service || 'network_mode' in service) continue;
    const networks = dictAt(service, 'networks');
    if (networks === undefined || Object.keys(networks).length === 0) service['networks'] = dict({ default: null });
    used ||= networks === undefined || Object.keys(networks).length === 0 || 'default' in networks;
  }
  const networks = dictAt(document, 'networks') ?? dict();
  if (used) networks['default'] ??= null;
  if (Object.keys(networks).length > 0) document['networks'] = networks;
}

function normalizeService(service: Dict, environment: Environment): void {
  if (service['pull_policy'] === 'if_not_present') service['pull_policy'] = 'missing';
  const build = dictAt(service, 'build');
  if (build !== undefined) normalizeBuild(build, environment);
  if (service['environment'] !== undefined)
    service['environment'] = resolveVariables(service['environment'], environment, true);
  const volumes = service['volumes'];
  if (Array.isArray(volumes))
    for (const volume of volumes)
      if (isDict(volume) && typeof volume['target'] === 'string') volume['target'] = cleanPath(volume['target']);
  const dependsOn = dictAt(service, 'depends_on') ?? dict();
  addImplied(dependsOn, service);
  if (Object.keys(dependsOn).length > 0) service['depends_on'] = dependsOn;
}

function normalizeBuild(build: Dict, environment: Environment): void {
  build['context'] ??= '.';
  if ((build['dockerfile'] ?? null) === null && (build['dockerfile_inline'] ?? null) === null)
    build['dockerfile'] = 'Dockerfile';
  if (build['args'] !== undefined) build['args'] = resolveVariables(build['args'], environment, false);
}

/** Variables without a value take the environment's; without one there either they stay (`keep`) or go. */
function resolveVariables(value: Value, environment: Environment, keep: boolean): Value {
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      if (typeof item !== 'string' || item.includes('=')) return [item];
      if (Object.hasOwn(environment, item)) return [`${item}=${environment[item]}`];
      return keep ? [item] : [];
    });
  }
  if (!isDict(value)) return value;
  const resolved = dict();
  for (const key of Object.keys(value)) {
    const item = value[key] ?? null;
    if (item !== null) resolved[key] = item;
    else if (Object.hasOwn(environment, key)) resolved[key] = environment[key] ?? '';
    else if (keep) resolved[key] = null;
  }
  return resolved;
}

function addImplied(dependsOn: Dict, service: Dict): void {
  const add = (name: string, restart: boolean): void => {
    dependsOn[name] ??= dict({ condition: 'service_started', restart, required: true });
  };
  for (const link of textsOf(service['links'])) {
    const parts = link.split(':');
    add(parts.length === 2 ? (parts[0] ?? link) : link, true);
  }
  for (const namespace of ['network_mode', 'ipc', 'pid', 'uts', 'cgroup']) {
    const reference = service[namespace];
    if (typeof reference === 'string' && reference.startsWith('service:'))
      add(reference.slice('service:'.length), true);
  }
  for (const from of textsOf(service['volumes_from']))
    if (!from.startsWith('container:')) add(from.split(':')[0] ?? from, false);
}

function textsOf(value: Value | undefined): string[] {
  return Array.isArray(value) ? value.map(goString) : [];
}

function nameResources(resources: Dict | undefined, projectName: string): void {
  for (const key of Object.keys(resources ?? {})) {
    const value = resources?.[key] ?? null;
    // What is no mapping is refused when it becomes the model.
    if (value !== null && !isDict(value)) continue;
    const resource = value ?? dict();
    if (resources !== undefined) resources[key] = resource;
    if ((resource['name'] ?? null) !== null) continue;
    const external = /^(1|t|T|TRUE|true|True)$/.test(goString(resource['external'] ?? null));
    resource['name'] = external ? key : `${projectName}_${key}`;
  }
}
