import type { ContainerCreateRequest, Mount } from '@wharf/wire/docker/types';
import { serviceHash } from '../config/hash.ts';
import type { Project } from '../model/project.ts';
import type { Service } from '../model/service.ts';
import { nanosecondsOf } from '../model/units.ts';
import type { ObservedMount } from '../plan/observed.ts';
import { placeFiles, type Upload } from './files.ts';
import { healthConfig } from './health.ts';
import type { HostFiles } from './host.ts';
import { containerLabels } from './labels.ts';
import { mounts } from './mounts.ts';
import { containerName, imageName } from './names.ts';
import { links, type Networking, networking } from './networking.ts';
import { exposedPorts, portBindings } from './ports.ts';
import { resources } from './resources.ts';
import { restartPolicy } from './restart.ts';
import { securityOptions } from './security.ts';

export interface ContainerFacts {
  readonly project: Project;
  readonly name: string;
  /** References to other services (`network_mode: service:…`) are containers' ids already. */
  readonly service: Service;
  /** Absent for one-off containers, whose name is `service.container_name`. */
  readonly number?: number;
  readonly envFiles: readonly string[];
  readonly image: { readonly id?: string | undefined; readonly volumes: readonly string[] };
  /** The replaced container's name as labels have it. */
  readonly replaces?: string;
  readonly inherited: readonly ObservedMount[];
  readonly apiVersion: string;
  /** Proxy variables of the client's configuration. */
  readonly proxyEnvironment: Readonly<Record<string, string>>;
  /** Names of the containers of another service, for links. */
  readonly namesOf: (service: string) => readonly string[];
  readonly host: HostFiles;
  readonly autoRemove?: boolean;
  readonly attachStdin?: boolean;
  readonly useAliases?: boolean;
}

export interface ContainerRequest {
  readonly body: ContainerCreateRequest;
  readonly platform: string | undefined;
  readonly connect: Networking['connect'];
  readonly warnings: readonly string[];
}

/** All that `POST /containers/create` needs to make a service's container as docker compose 2.40.3 would. */
export function containerRequest(facts: ContainerFacts): ContainerRequest {
  const { project, name, service, number, apiVersion } = facts;
  const allLinks = links({ project: project.name, service, number: number ?? -1 }, facts.namesOf);
  const net = networking({
    project,
    name,
    service,
    containerName: containerName(project.name, { ...service, name }, number ?? -1),
    links: allLinks,
    useAliases: facts.useAliases ?? true,
    apiVersion,
  });
  const files = placeFiles(project, name, service, facts.host);
  const stopNs = nanosecondsOf(service.stop_grace_period);
  const body: ContainerCreateRequest = {
    Hostname: service.hostname,
    Domainname: service.domainname,
    User: service.user,
    ExposedPorts: exposedPorts(service),
    Tty: service.tty ?? false,
    OpenStdin: service.stdin_open ?? false,
    StdinOnce: facts.attachStdin === true && service.stdin_open === true,
    AttachStdin: facts.attachStdin ?? false,
    AttachStdout: true,
    AttachStderr: true,
    Cmd: service.command ?? null,
    Entrypoint: service.entrypoint ?? null,
    Image: imageName(project.name, name, service),
    WorkingDir: service.working_dir,
    NetworkDisabled: service.network_mode === 'disabled' || undefined,
    MacAddress: net.macAddress,
    Labels: containerLabels({ ...facts, imageId: facts.image.id, configHash: serviceHash(service) }),
    StopSignal: service.stop_signal,
    Env: environment({ ...facts.proxyEnvironment, ...service.environment }),
    Healthcheck: healthConfig(service.healthcheck, apiVersion),
    StopTimeout: stopNs === undefined ? undefined : Math.trunc(stopNs / 1e9),
    HostConfig: hostConfig(facts, { mounts: files.mounts, networkMode: net.networkMode, links: allLinks }),
    NetworkingConfig: net.config,
  };
  const platform = service.platform ?? project.environment['DOCKER_DEFAULT_PLATFORM'];
  return { body, platform, connect: net.connect, warnings: files.warnings };
}

/** The files to write into a service's container before it starts. */
export function uploadsOf(project: Project, name: string, service: Service, host: HostFiles): readonly Upload[] {
  return placeFiles(project, name, service, host).uploads;
}

/** `NAME=value`; a variable without a value is named alone: the daemon takes it away. */
export function environment(variables: Readonly<Record<string, string | null>>): readonly string[] {
  return Object.entries(variables).map(([name, value]) => (value === null ? name : `${name}=${value}`));
}

function hostConfig(
  facts: ContainerFacts,
  parts: {
    readonly mounts: readonly Mount[];
    readonly networkMode: string;
    readonly links: readonly string[];
  },
): NonNullable<ContainerCreateRequest['HostConfig']> {
  const { project, service, host } = facts;
  const { options, unconfined } = securityOptions(service.security_opt, { workingDir: project.workingDir, host });
  const placed = mounts({
    project,
    service,
    files: parts.mounts,
    inherited: facts.inherited,
    imageVolumes: facts.image.volumes,
    apiVersion: facts.apiVersion,
  });
  const size = service.shm_size === undefined ? undefined : Number(service.shm_size);
  return {
    ...resources(service),
    AutoRemove: facts.autoRemove ?? false,
    Annotations: service.annotations,
    Binds: placed.Binds.length > 0 ? placed.Binds : undefined,
    Mounts: placed.Mounts.length > 0 ? placed.Mounts : undefined,
    CapAdd: capabilities(service.cap_add),
    CapDrop: capabilities(service.cap_drop),
    NetworkMode: parts.networkMode,
    Init: service.init,
    IpcMode: service.ipc,
    CgroupnsMode: service.cgroup,
    ReadonlyRootfs: service.read_only ?? false,
    RestartPolicy: restartPolicy(service),
    ShmSize: size,
    Sysctls: service.sysctls,
    PortBindings: portBindings(service),
    VolumeDriver: service.volume_driver,
    VolumesFrom: service.volumes_from,
    Dns: service.dns,
    DnsSearch: service.dns_search,
    DnsOptions: service.dns_opt,
    ExtraHosts: (service.extra_hosts ?? []).map((entry) => entry.replace('=', ':')),
    SecurityOpt: options,
    StorageOpt: service.storage_opt,
    UsernsMode: service.userns_mode,
    UTSMode: service.uts,
    Privileged: service.privileged ?? false,
    PidMode: service.pid,
    Tmpfs: tmpfs(service.tmpfs),
    Isolation: service.isolation,
    Runtime: service.runtime,
    LogConfig: { Type: service.logging?.driver ?? '', Config: service.logging?.options ?? null },
    GroupAdd: service.group_add,
    Links: parts.links.length > 0 ? parts.links : undefined,
    OomScoreAdj: service.oom_score_adj,
    ...(unconfined ? { MaskedPaths: [], ReadonlyPaths: [] } : {}),
  };
}

/** As docker's client sends them: `CAP_NET_ADMIN`, each once, sorted. */
function capabilities(names: readonly string[] | undefined): readonly string[] | undefined {
  const full = names
    ?.map((name) => name.toUpperCase())
    .map((name) => (/^(ALL$|CAP_)/.test(name) ? name : `CAP_${name}`));
  return full === undefined ? undefined : [...new Set(full)].toSorted();
}

function tmpfs(entries: readonly string[] | undefined): Readonly<Record<string, string>> | undefined {
  if (entries === undefined) return undefined;
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf(':');
      return at === -1 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
    }),
  );
}
