import { networkHash, volumeHash } from '../config/hash.ts';
import type { Project } from '../model/project.ts';
import type { Network, Volume } from '../model/resources.ts';
import type { Dependency, Service, StringMap } from '../model/service.ts';

/** The version of docker compose whose labels, names and hashes these are. */
export const COMPOSE_VERSION = '2.40.3';

/** Labels by which docker compose finds what is a project's. */
export const PROJECT = 'com.docker.compose.project';
export const SERVICE = 'com.docker.compose.service';
export const CONFIG_HASH = 'com.docker.compose.config-hash';
export const CONTAINER_NUMBER = 'com.docker.compose.container-number';
export const VOLUME = 'com.docker.compose.volume';
export const NETWORK = 'com.docker.compose.network';
export const WORKING_DIR = 'com.docker.compose.project.working_dir';
export const CONFIG_FILES = 'com.docker.compose.project.config_files';
export const ENVIRONMENT_FILE = 'com.docker.compose.project.environment_file';
export const ONE_OFF = 'com.docker.compose.oneoff';
export const SLUG = 'com.docker.compose.slug';
export const IMAGE = 'com.docker.compose.image';
export const DEPENDS_ON = 'com.docker.compose.depends_on';
export const VERSION = 'com.docker.compose.version';
export const REPLACE = 'com.docker.compose.replace';

/** The engine's own: see docs/guides/compose.md. */
export const RESTART_ON_UNHEALTHY = 'io.wharf.restart-on-unhealthy';
/** On the container of an init step: which steps of the service it was, by the hash of their definition. */
export const INIT_STEP = 'io.wharf.compose.init-step';

export interface ServiceLabelFacts {
  readonly project: Project;
  readonly name: string;
  readonly service: Service;
  readonly envFiles: readonly string[];
  /** The image's id, where it is known. */
  readonly imageId: string | undefined;
  readonly configHash: string;
  /** Absent for one-off containers. */
  readonly number?: number | undefined;
  /** The container it takes the place of, as docker compose writes it. */
  readonly replaces?: string | undefined;
}

/** All labels of a service's container. Those of the service itself come first: compose's win. */
export function containerLabels(facts: ServiceLabelFacts): StringMap {
  const { project, name, service, envFiles, imageId, configHash, number, replaces } = facts;
  return {
    ...service.labels,
    [PROJECT]: project.name,
    [SERVICE]: name,
    [VERSION]: COMPOSE_VERSION,
    [WORKING_DIR]: project.workingDir,
    [CONFIG_FILES]: project.composeFiles.join(','),
    [ONE_OFF]: number === undefined ? 'True' : 'False',
    ...(envFiles.length > 0 ? { [ENVIRONMENT_FILE]: envFiles.join(',') } : {}),
    ...(imageId === undefined ? {} : { [IMAGE]: imageId }),
    ...(replaces === undefined ? {} : { [REPLACE]: replaces }),
    [CONFIG_HASH]: configHash,
    ...(number === undefined ? {} : { [CONTAINER_NUMBER]: String(number) }),
    [DEPENDS_ON]: dependenciesLabel(service.depends_on ?? {}),
    ...(service.restart?.split(':')[0] === 'on-unhealthy' ? { [RESTART_ON_UNHEALTHY]: 'true' } : {}),
  };
}

/** `db:service_healthy:false,cache:service_started:true`. */
export function dependenciesLabel(dependencies: Readonly<Record<string, Dependency>>): string {
  return Object.entries(dependencies)
    .map(([name, { condition = '', restart = false }]) => `${name}:${condition}:${restart}`)
    .join(',');
}

/** What `dependenciesLabel` wrote; older versions of compose left the tail out. */
export function parseDependenciesLabel(text: string): Readonly<Record<string, Dependency>> {
  const parts = text.split(',').filter((part) => part !== '');
  return Object.fromEntries(
    parts.map((part) => {
      const [name = '', condition = 'running_or_healthy', restart = 'true'] = part.split(':');
      return [name, { condition, restart: restart === 'true', required: true }];
    }),
  );
}

export function networkLabels(project: Project, key: string, network: Network): StringMap {
  return {
    ...network.labels,
    [NETWORK]: key,
    [PROJECT]: project.name,
    [VERSION]: COMPOSE_VERSION,
    [CONFIG_HASH]: networkHash(network),
  };
}

export function volumeLabels(project: Project, key: string, volume: Volume): StringMap {
  return {
    ...volume.labels,
    [VOLUME]: key,
    [PROJECT]: project.name,
    [VERSION]: COMPOSE_VERSION,
    [CONFIG_HASH]: volumeHash(volume),
  };
}
