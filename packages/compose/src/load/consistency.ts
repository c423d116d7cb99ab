import type { Project } from '../model/project.ts';
import type { Service } from '../model/service.ts';
import { bytesOf } from '../model/units.ts';
import { checkCycles } from './cycles.ts';
import { nearest, Problem } from './problem.ts';

type Rule = (name: string, service: Service, project: Project) => void;

/**
 * Whether what services refer to is there, and whether what they say twice is the same. Throws a `Problem` in compose's
 * words.
 */
export function checkConsistency(project: Project): void {
  for (const [name, service] of Object.entries(project.services))
    for (const rule of RULES) rule(name, service, project);
  for (const [name, secret] of Object.entries(project.secrets))
    if (secret.external !== true && secret.file === undefined && secret.environment === undefined)
      throw invalid(`secret "${name}" must declare either \`file\` or \`environment\``, ['secrets', name]);
  checkCycles(project);
}

/** Two services cannot share a container's name. */
export function checkContainerNames(project: Project): void {
  const owners = new Map<string, string>();
  for (const [name, { container_name: container }] of Object.entries(project.services)) {
    if (container === undefined) continue;
    const owner = owners.get(container);
    if (owner !== undefined)
      throw new Problem(`services.${name}: container name "${container}" is already in use by service ${owner}`, {
        keys: ['services', name, 'container_name'],
        suggestion: 'leave container_name out: the containers are named after project and service then',
      });
    owners.set(container, name);
  }
}

/** compose ends these messages with the kind of error. */
function invalid(message: string, keys: readonly string[], suggestion?: string): Problem {
  return new Problem(`${message}: invalid compose project`, { keys, suggestion });
}

const RULES: readonly Rule[] = [
  hasSource,
  buildIsWhole,
  networksExist,
  healthTestIsKnown,
  dependenciesExist,
  networkModeExists,
  mountsExist,
  scaleIsOne,
  limitsAgree,
  nameIsUnique,
  watchHasTargets,
  targetsDiffer,
];

function hasSource(name: string, service: Service): void {
  if (service.build === undefined && service.image === undefined && service.provider === undefined)
    throw invalid(
      `service "${name}" has neither an image nor a build context specified`,
      ['services', name],
      'add "image: name" or "build: ./directory"',
    );
}

function buildIsWhole(name: string, service: Service, project: Project): void {
  const build = service.build;
  if (build === undefined) return;
  const keys = ['services', name, 'build'];
  if (build.dockerfile_inline !== undefined && build.dockerfile !== undefined)
    throw invalid(`service "${name}" declares mutualy exclusive dockerfile and dockerfile_inline`, keys);
  for (const [context, source] of Object.entries(build.additional_contexts ?? {})) {
    if (!source.startsWith('service:')) continue;
    const target = source.slice('service:'.length);
    const other = project.services[target];
    if (other?.build !== undefined) continue;
    const what = other === undefined ? 'unknown' : 'non-buildable';
    throw new Problem(`service "${name}" declares ${what} service "${target}" as additional contexts ${context}`, {
      keys: [...keys, 'additional_contexts', context],
      suggestion: near(target, project.services),
    });
  }
  const platforms = build.platforms ?? [];
  if (platforms.length > 0 && service.platform !== undefined && !platforms.includes(service.platform))
    throw invalid(`service.build.platforms MUST include service.platform "${service.platform}"`, [
      ...keys,
      'platforms',
    ]);
  for (const secret of build.secrets ?? [])
    refer(name, 'build secret', secret.source, project.secrets, [...keys, 'secrets']);
}

function networksExist(name: string, service: Service, project: Project): void {
  const networks = Object.keys(service.networks ?? {});
  if (service.network_mode !== undefined && networks.length > 0)
    throw invalid(`service ${name} declares mutually exclusive \`network_mode\` and \`networks\``, [
      'services',
      name,
      'network_mode',
    ]);
  for (const network of networks)
    refer(name, 'network', network, project.networks, ['services', name, 'networks', network]);
}

function healthTestIsKnown(name: string, service: Service): void {
  const first = service.healthcheck?.test?.[0];
  if (first !== undefined && !['CMD', 'CMD-SHELL', 'NONE'].includes(first))
    throw new Problem('healthcheck.test must start either by "CMD", "CMD-SHELL" or "NONE"', {
      keys: ['services', name, 'healthcheck', 'test'],
      suggestion: `write ["CMD", "${first}", …], or the command as one text`,
    });
}

function dependenciesExist(name: string, service: Service, project: Project): void {
  for (const [other, dependency] of Object.entries(service.depends_on ?? {})) {
    if (Object.hasOwn(project.services, other)) continue;
    // A required one is enabled with this service, whatever its profiles.
    if (Object.hasOwn(project.disabledServices, other) && !dependency.required) continue;
    throw invalid(
      `service "${name}" depends on undefined service "${other}"`,
      ['services', name, 'depends_on', other],
      near(other, project.services),
    );
  }
}

function networkModeExists(name: string, service: Service, project: Project): void {
  const mode = service.network_mode;
  if (mode?.startsWith('service:') !== true) return;
  const other = mode.slice('service:'.length);
  if (!Object.hasOwn(project.services, other))
    throw new Problem(`service "${other}" not found for network_mode 'service:${other}'`, {
      keys: ['services', name, 'network_mode'],
      suggestion: near(other, project.services),
    });
}

function mountsExist(name: string, service: Service, project: Project): void {
  const keys = ['services', name];
  for (const [index, mount] of (service.volumes ?? []).entries())
    if (mount.type === 'volume' && mount.source !== undefined)
      refer(name, 'volume', mount.source, project.volumes, [...keys, 'volumes', String(index)]);
  for (const [index, config] of (service.configs ?? []).entries())
    refer(name, 'config', config.source, project.configs, [...keys, 'configs', String(index)]);
  for (const model of Object.keys(service.models ?? {}))
    refer(name, 'model', model, project.models, [...keys, 'models', model]);
  for (const [index, secret] of (service.secrets ?? []).entries())
    refer(name, 'secret', secret.source, project.secrets, [...keys, 'secrets', String(index)]);
}

function scaleIsOne(name: string, service: Service): void {
  const replicas = service.deploy?.replicas;
  const keys = ['services', name, 'scale'];
  if (service.scale !== undefined && replicas !== undefined && service.scale !== replicas)
    throw invalid(`services.${name}: can't set distinct values on 'scale' and 'deploy.replicas'`, keys);
  if (service.scale !== undefined && service.scale < 0)
    throw new Problem(`services.${name}.scale: must be greater than or equal to 0`, { keys });
  if (replicas !== undefined && replicas < 0)
    throw new Problem(`services.${name}.deploy.replicas: must be greater than or equal to 0`, {
      keys: ['services', name, 'deploy', 'replicas'],
    });
}

function limitsAgree(name: string, service: Service): void {
  const { limits, reservations } = service.deploy?.resources ?? {};
  const agree = (key: string, other: string, same: boolean): void => {
    if (!same)
      throw invalid(`services.${name}: can't set distinct values on '${key}' and 'deploy.resources.${other}'`, [
        'services',
        name,
        key,
      ]);
  };
  if (limits !== undefined) {
    agree('cpus', 'limits.cpus', service.cpus === undefined || (limits.cpus ?? 0) === service.cpus);
    agree('mem_limit', 'limits.memory', service.mem_limit === undefined || limits.memory === service.mem_limit);
    agree('pids_limit', 'limits.pids', service.pids_limit === undefined || (limits.pids ?? 0) === service.pids_limit);
  }
  if (reservations !== undefined && service.mem_reservation !== undefined)
    agree('mem_reservation', 'reservations.memory', bytesOf(reservations.memory) === bytesOf(service.mem_reservation));
}

function nameIsUnique(name: string, service: Service): void {
  const scale = service.scale ?? service.deploy?.replicas ?? 1;
  if (scale <= 1 || service.container_name === undefined) return;
  const attribute = service.scale === undefined ? 'deploy.replicas' : 'scale';
  throw invalid(`services.${attribute}: can't set container_name and ${name} as container name must be unique`, [
    'services',
    name,
    'container_name',
  ]);
}

function watchHasTargets(name: string, service: Service): void {
  for (const [index, trigger] of (service.develop?.watch ?? []).entries())
    if (trigger.target === undefined && trigger.action !== 'rebuild' && trigger.action !== 'restart')
      throw invalid(
        `services.${name}.develop.watch: target is required for non-rebuild actions`,
        ['services', name, 'develop', 'watch', String(index)],
        'add "target: /path/in/the/container"',
      );
}

function targetsDiffer(name: string, service: Service): void {
  const taken = new Map<string, string>();
  const take = (target: string, kind: string, index: number): void => {
    const place = `services.${name}.${kind}[${index}]`;
    const before = taken.get(target);
    if (before !== undefined)
      throw new Problem(`${place}: target ${target} already mounted as ${before}`, {
        keys: ['services', name, kind, String(index)],
      });
    taken.set(target, place);
  };
  for (const [index, tmpfs] of (service.tmpfs ?? []).entries()) take(tmpfs.split(':')[0] ?? tmpfs, 'tmpfs', index);
  for (const [index, mount] of (service.volumes ?? []).entries()) take(mount.target ?? '', 'volumes', index);
}

function refer(
  name: string,
  kind: string,
  source: string | undefined,
  known: Readonly<Record<string, unknown>>,
  keys: readonly string[],
): void {
  const reference = source ?? '';
  if (Object.hasOwn(known, reference)) return;
  const section = `${kind.split(' ').at(-1)}s`;
  const suggestion = near(reference, known) ?? `declare it at the top level: "${section}:", below it "  ${reference}:"`;
  throw invalid(`service "${name}" refers to undefined ${kind} ${reference}`, keys, suggestion);
}

function near(word: string, known: Readonly<Record<string, unknown>>): string | undefined {
  const found = nearest(word, Object.keys(known));
  return found === undefined ? undefined : `did you mean "${found}"?`;
}
