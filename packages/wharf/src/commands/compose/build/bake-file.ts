import { isAbsolute, join } from 'node:path';
import type { Project } from '@wharf/compose/model/project';
import {
  type BuildTarget,
  buildArguments,
  dockerfileOf,
  imageLabels,
  type ServiceBuildFlags,
  ulimitText,
} from './service-values.ts';

/** What buildx reads: what has no value is left out, fields are in docker compose's order. */
type BakeTarget = Readonly<Record<string, unknown>>;

/** The file for `buildx bake` that builds the same. `all` are the targets of the project, `wanted` those that are built. */
export function bakeFile(
  project: Project,
  given: {
    readonly all: readonly BuildTarget[];
    readonly wanted: readonly string[];
    readonly flags: ServiceBuildFlags;
  },
): object {
  const { all, wanted, flags } = given;
  const keys = targetKeys(Object.keys(project.services));
  const byKey = all.map((target) => [keys.get(target.name) ?? '', bakeTarget(project, target, keys, flags)] as const);
  return {
    group: { default: { targets: wanted.map((name) => keys.get(name) ?? name) } },
    target: Object.fromEntries(byKey.toSorted(([left], [right]) => (left < right ? -1 : 1))),
  };
}

/** Bake's names have no dots. */
function targetKeys(services: readonly string[]): ReadonlyMap<string, string> {
  return new Map(services.map((name) => [name, name.replaceAll('.', '_')]));
}

function bakeTarget(
  project: Project,
  target: BuildTarget,
  keys: ReadonlyMap<string, string>,
  flags: ServiceBuildFlags,
): BakeTarget {
  const { build, service, name, image } = target;
  const push = flags.push === true && service.image !== undefined;
  const isMulti = (build.platforms ?? []).length > 1;
  const output = isMulti ? `type=image,push=${push}` : push ? 'type=registry' : 'type=docker';
  const fields: Readonly<Record<string, unknown>> = {
    context: build.context,
    contexts: contextsOf(build.additional_contexts, keys),
    dockerfile: dockerfilePath(target),
    'dockerfile-inline': build.dockerfile_inline?.replaceAll('${', '$${'),
    args: sorted(mapValues(buildArguments(project, build, flags.args ?? []), (value) => value.replaceAll('${', '$${'))),
    labels: sorted(imageLabels(project, name, build)),
    tags: [...(build.tags ?? []), image],
    'cache-from': build.cache_from,
    'cache-to': build.cache_to,
    target: build.target,
    secret: (build.secrets ?? []).map(({ source = '', target: id = source }) => secretText(project, source, id)),
    ssh: [
      ...(build.ssh ?? []).map(({ id, path = '' }) => `${id}=${path}`),
      ...(flags.ssh === undefined ? [] : [sshText(flags.ssh)]),
    ],
    platforms: build.platforms,
    pull: build.pull === true || flags.pull === true,
    'no-cache': build.no_cache === true || flags.noCache === true,
    network: build.network,
    'shm-size': build.shm_size,
    ulimits: Object.entries(build.ulimits ?? {}).map(([key, limit]) => `${key}=${ulimitText(limit)}`),
    call: flags.check === true ? 'lint' : undefined,
    entitlements: [...(build.entitlements ?? []), ...(build.privileged === true ? ['security.insecure'] : [])],
    'extra-hosts': hostsOf(build.extra_hosts),
    output: flags.check === true ? [] : [output],
    attest: [attestText('provenance', build.provenance), attestText('sbom', build.sbom)].filter(Boolean),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => hasValue(value)));
}

function hasValue(value: unknown): boolean {
  if (value === undefined || value === '' || value === false) return false;
  if (Array.isArray(value)) return value.length > 0;
  return typeof value !== 'object' || value === null || Object.keys(value).length > 0;
}

function dockerfilePath({ build }: BuildTarget): string | undefined {
  if (build.dockerfile === undefined) return undefined;
  const path = dockerfileOf(build);
  return isAbsolute(path) ? path : join(build.context ?? '.', path);
}

function contextsOf(contexts: Readonly<Record<string, string>> = {}, keys: ReadonlyMap<string, string>): object {
  return sorted(
    mapValues(contexts, (place) =>
      place.startsWith('service:') ? `target:${keys.get(place.slice('service:'.length)) ?? ''}` : place,
    ),
  );
}

function secretText(project: Project, source: string, id: string): string {
  const { environment, file = '' } = project.secrets[source] ?? {};
  return environment === undefined ? `id=${id},type=file,src=${file}` : `id=${id},type=env,env=${environment}`;
}

function sshText(text: string): string {
  return text.includes('=') ? text : `${text}=`;
}

function hostsOf(hosts: readonly string[] = []): object {
  const pairs = hosts.map((host) => {
    const at = host.search(/[=:]/);
    return [host.slice(0, at), host.slice(at + 1)] as const;
  });
  const names = [...new Set(pairs.map(([name]) => name))].toSorted();
  return Object.fromEntries(
    names.map((name) => [
      name,
      pairs
        .filter(([each]) => each === name)
        .map(([, address]) => address)
        .join(','),
    ]),
  );
}

function attestText(kind: string, text: string | undefined): string {
  if (text === undefined || text === '' || text === 'false') return '';
  return text === 'true' ? `type=${kind}` : `type=${kind},${text}`;
}

function sorted<V>(record: Readonly<Record<string, V>>): Readonly<Record<string, V>> {
  return Object.fromEntries(Object.entries(record).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

function mapValues(
  record: Readonly<Record<string, string>>,
  change: (value: string) => string,
): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
