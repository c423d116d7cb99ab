import { isAbsolute, join } from 'node:path';
import { COMPOSE_VERSION, PROJECT, SERVICE, VERSION } from '@wharf/compose/convert/labels';
import { imageName } from '@wharf/compose/convert/names';
import type { Build } from '@wharf/compose/model/build';
import type { Project } from '@wharf/compose/model/project';
import type { FileMount, Service, Ulimit } from '@wharf/compose/model/service';
import { BUILD_FLAGS } from '../../../build/build-flags.ts';
import type { BuildValues } from '../../../build/build-values.ts';
import { isRemote } from '../../../build/inputs/inputs.ts';
import { parseLine } from '../../../cli/parse-line.ts';

/** What the line of `compose build` adds to what the files say. */
export interface ServiceBuildFlags {
  /** `NAME=VALUE`, or `NAME` for the environment's. */
  readonly args?: readonly string[];
  readonly noCache?: boolean;
  readonly pull?: boolean;
  readonly push?: boolean;
  readonly ssh?: string;
  readonly provenance?: string;
  readonly sbom?: string;
  readonly check?: boolean;
}

/** A service whose image is built. */
export interface BuildTarget {
  readonly name: string;
  readonly service: Service;
  readonly build: Build;
  /** The image's name. */
  readonly image: string;
}

/** The service as a target, if it is built. */
export function targetOf(project: Project, name: string, service: Service): BuildTarget | undefined {
  const { build } = service;
  return build === undefined ? undefined : { name, service, build, image: imageName(project.name, name, service) };
}

/** Where contexts named `service:NAME` lead: to the images of those services. */
const SERVICE_CONTEXT = 'service:';

/** Services whose images the target's contexts are. */
export function contextServices({ additional_contexts: contexts = {} }: Build): readonly string[] {
  return Object.values(contexts).flatMap((place) =>
    place.startsWith(SERVICE_CONTEXT) ? [place.slice(SERVICE_CONTEXT.length)] : [],
  );
}

/** A target as a line of `wharf build`. Variables that secrets are made of are put into the environment. */
export function serviceBuildValues(
  project: Project,
  { build, service, name, image }: BuildTarget,
  flags: ServiceBuildFlags,
): BuildValues {
  const none = parseLine(BUILD_FLAGS, [], { interspersed: true }).values as unknown as BuildValues;
  const push = flags.push === true && service.image !== undefined;
  const args = buildArguments(project, build, flags.args ?? []);
  return {
    ...none,
    file: build.dockerfile_inline === undefined ? dockerfileOf(build) : '-',
    tag: flags.check === true ? [] : [...(build.tags ?? []), image],
    'build-arg': Object.entries(args).map(([key, value]) => `${key}=${value}`),
    label: Object.entries(imageLabels(project, name, build)).map(([key, value]) => `${key}=${value}`),
    'build-context': Object.entries(build.additional_contexts ?? {}).map(
      ([key, place]) => `${key}=${contextPlace(project, place)}`,
    ),
    'cache-from': build.cache_from ?? [],
    'cache-to': build.cache_to ?? [],
    ...(build.network === undefined ? {} : { network: build.network }),
    platform: build.platforms ?? [],
    ...(build.target === undefined ? {} : { target: build.target }),
    ssh: [...(build.ssh ?? []).map(({ id, path }) => (path === undefined ? id : `${id}=${path}`)), ...sshFlag(flags)],
    secret: (build.secrets ?? []).map((secret) => secretText(project, secret)),
    pull: build.pull === true || flags.pull === true,
    'no-cache': build.no_cache === true || flags.noCache === true,
    ...(build.shm_size === undefined ? {} : { 'shm-size': build.shm_size }),
    ulimit: Object.entries(build.ulimits ?? {}).map(([key, limit]) => `${key}=${ulimitText(limit)}`),
    allow: [...(build.entitlements ?? []), ...(build.privileged === true ? ['security.insecure'] : [])],
    'add-host': (build.extra_hosts ?? []).map((host) => host.replace('=', ':')),
    ...attestation('provenance', flags.provenance ?? build.provenance),
    ...attestation('sbom', flags.sbom ?? build.sbom),
    push,
    load: !push && (build.platforms ?? []).length < 2 && flags.check !== true,
    check: flags.check === true,
  };
}

/** The Dockerfile's path; of a context that the daemon fetches, the path in it. */
export function dockerfileOf({ context = '.', dockerfile = 'Dockerfile' }: Build): string {
  return isAbsolute(dockerfile) || isRemote(context) ? dockerfile : join(context, dockerfile);
}

/** Arguments of the file, then those of the line; a name without a value has the environment's, or is left out. */
export function buildArguments(
  { environment }: Project,
  { args = {} }: Build,
  given: readonly string[],
): Readonly<Record<string, string>> {
  const all: Record<string, string | null> = { ...args };
  for (const text of given) {
    const equals = text.indexOf('=');
    if (equals < 0) all[text] = null;
    else all[text.slice(0, equals)] = text.slice(equals + 1);
  }
  const known = Object.entries(all).flatMap(([key, value]) => {
    const settled = value ?? environment[key];
    return settled === undefined ? [] : [[key, settled] as const];
  });
  return Object.fromEntries(known);
}

/** Labels by which docker compose finds images that it built. */
export function imageLabels(
  { name: project }: Project,
  service: string,
  { labels }: Build,
): Readonly<Record<string, string>> {
  return { ...labels, [PROJECT]: project, [SERVICE]: service, [VERSION]: COMPOSE_VERSION };
}

function contextPlace(project: Project, place: string): string {
  if (!place.startsWith(SERVICE_CONTEXT)) return place;
  const name = place.slice(SERVICE_CONTEXT.length);
  const service = project.services[name] ?? project.disabledServices[name];
  return `docker-image://${imageName(project.name, name, service ?? {})}`;
}

function sshFlag({ ssh }: ServiceBuildFlags): readonly string[] {
  return ssh === undefined ? [] : [ssh];
}

function secretText(project: Project, { source = '', target = source }: FileMount): string {
  const secret = project.secrets[source];
  const variable = secret?.environment;
  if (variable !== undefined) {
    process.env[variable] ??= project.environment[variable];
    return `id=${target},type=env,env=${variable}`;
  }
  return `id=${target},type=file,src=${secret?.file ?? ''}`;
}

/** `1024` or `512:1024`. */
export function ulimitText(limit: Ulimit): string {
  return typeof limit === 'number' ? String(limit) : `${limit.soft ?? 0}:${limit.hard ?? 0}`;
}

function attestation(kind: 'provenance' | 'sbom', text: string | undefined): Partial<BuildValues> {
  return text === undefined || text === '' ? {} : { [kind]: text };
}
