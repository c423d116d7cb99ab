import { randomBytes } from 'node:crypto';
import { WharfError } from '@wharf/kit';
import { containerRequest, uploadsOf } from '../convert/container.ts';
import { hostFiles } from '../convert/host.ts';
import { ONE_OFF, SLUG } from '../convert/labels.ts';
import { imageName } from '../convert/names.ts';
import type { Project } from '../model/project.ts';
import type { Service } from '../model/service.ts';
import { referencedServices, resolveReferences } from '../plan/references.ts';
import { createFrom } from './create-step.ts';
import { ensureImages } from './images-phase.ts';
import { observe } from './observe.ts';
import { reporter } from './progress.ts';
import type { OneOffOptions, RunnerOptions, StartedContainer } from './runner.ts';
import { writeFiles } from './start-step.ts';
import { StateWatch } from './state-watch.ts';
import { up } from './up.ts';
import { waitFor } from './wait-step.ts';

/** The container of `compose run`: created, with its files, after what the service depends on is as it wants it. */
export async function createOneOff(
  options: RunnerOptions,
  project: Project,
  wanted: OneOffOptions,
): Promise<StartedContainer> {
  const { service: name, signal = new AbortController().signal } = wanted;
  const written = project.services[name] ?? project.disabledServices[name];
  if (written === undefined) throw new WharfError('not-found', `no such service: ${name}`);
  await startDependencies(options, project, wanted);
  const slug = randomBytes(32).toString('hex');
  const service = oneOffService(project, { ...written, container_name: containerName(project, wanted, slug) }, wanted);
  const alone = { ...project, services: { [name]: service } };
  const before = await observe({ ...options, signal }, alone);
  const images = await ensureImages(options, alone, before, {
    ...(wanted.pull === undefined ? {} : { pull: wanted.pull }),
    ...buildOption(wanted),
    signal,
  });
  const { containers, daemon } = before;
  const idOf = (target: string): string => {
    const [first] = containers
      .filter((one) => !one.oneOff && one.service === target)
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    if (first === undefined) {
      throw new WharfError('failed-precondition', `cannot share namespace with service ${target}: container missing`);
    }
    return first.id;
  };
  if (wanted.noDeps !== true) await waitForDependencies(options, { name, service: written, containers, signal });
  const resolved = referencedServices(service).length === 0 ? service : resolveReferences(service, idOf);
  const request = containerRequest({
    project,
    name,
    service: resolved,
    envFiles: options.envFiles ?? [],
    image: images[imageName(project.name, name, service)] ?? { volumes: [] },
    inherited: [],
    apiVersion: daemon.apiVersion,
    proxyEnvironment: options.proxyEnvironment ?? {},
    namesOf: (target) => containers.filter((one) => !one.oneOff && one.service === target).map((one) => one.name),
    host: hostFiles,
    autoRemove: wanted.autoRemove ?? false,
    attachStdin: wanted.interactive,
    useAliases: wanted.useAliases ?? false,
  });
  for (const warning of request.warnings) options.warn?.(warning);
  const { progress = () => {} } = options;
  const container = service.container_name ?? '';
  const say = reporter(progress, `Container ${container}`);
  say.working('Creating');
  const body = { ...request.body, Labels: { ...request.body.Labels, [SLUG]: slug, [ONE_OFF]: 'True' } };
  const context = { client: options.client, progress };
  const id = await createFrom(context, { request: { ...request, body }, name: container, service: name, signal });
  say.done('Created');
  await writeFiles(options.client, id, uploadsOf(project, name, service, hostFiles), signal);
  return { id, name: container, service: name };
}

const buildOption = ({ build }: OneOffOptions): { readonly build?: boolean } => (build === undefined ? {} : { build });

function containerName(project: Project, { name, service }: OneOffOptions, slug: string): string {
  return name ?? `${project.name}-${service}-run-${slug.slice(0, 12)}`;
}

/** What the service depends on, with `--no-deps` the project's networks and volumes only. */
async function startDependencies(options: RunnerOptions, project: Project, wanted: OneOffOptions): Promise<void> {
  const { [wanted.service]: own, ...others } = project.services;
  const services = wanted.noDeps === true ? {} : others;
  const disabledServices = { ...project.disabledServices, ...(own === undefined ? {} : { [wanted.service]: own }) };
  await up(
    options,
    { ...project, services, disabledServices },
    {
      start: true,
      recreate: 'diverged',
      ...buildOption(wanted),
      ...(wanted.pull === undefined ? {} : { pull: wanted.pull }),
      removeOrphans: wanted.removeOrphans ?? false,
      ignoreOrphans: wanted.ignoreOrphans ?? false,
      signal: wanted.signal,
    },
  );
}

async function waitForDependencies(
  options: RunnerOptions,
  {
    name,
    service,
    containers,
    signal,
  }: {
    readonly name: string;
    readonly service: Service;
    readonly containers: readonly { id: string; name: string; service: string; oneOff: boolean }[];
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { client, projectName, progress = () => {}, warn = () => {} } = options;
  const watch = new StateWatch(client, projectName);
  try {
    await Promise.all(
      Object.entries(service.depends_on ?? {}).map(async ([dependency, { condition, required }]) => {
        const kind = WAITS[condition ?? ''];
        if (kind === undefined) return;
        const own = containers.filter((one) => !one.oneOff && one.service === dependency);
        const refs = own.map((one) => ({ id: one.id, key: one.id, name: one.name, service: one.service }));
        const step = {
          kind: 'wait',
          dependency,
          dependent: name,
          condition: kind,
          required,
          containers: refs,
        } as const;
        await waitFor({ watch, progress, warn, created: new Map() }, step, signal);
      }),
    );
  } finally {
    watch.close();
  }
}

const WAITS: Readonly<Record<string, 'healthy' | 'completed'>> = {
  service_healthy: 'healthy',
  service_completed_successfully: 'completed',
};

/** The service as `compose run` changes it. */
function oneOffService(project: Project, service: Service, wanted: OneOffOptions): Service {
  const { restart: _restart, ports, deploy, ...base } = service;
  const { restart_policy: _policy, ...kept } = deploy ?? { resources: {}, placement: {} };
  const published = [...(wanted.servicePorts === true ? (ports ?? []) : []), ...(wanted.ports ?? [])];
  const command = wanted.command ?? [];
  const { capAdd = [], capDrop = [] } = wanted;
  const added = [...(service.cap_add ?? []), ...capAdd].filter((one) => !capDrop.includes(one));
  const dropped = [...(service.cap_drop ?? []).filter((one) => !capAdd.includes(one)), ...capDrop];
  return {
    ...base,
    ...(deploy === undefined ? {} : { deploy: kept }),
    ...(published.length > 0 ? { ports: published } : {}),
    tty: wanted.tty,
    stdin_open: wanted.interactive,
    ...(command.length > 0 ? { command } : {}),
    ...(wanted.entrypoint === undefined
      ? {}
      : { entrypoint: wanted.entrypoint, ...(command.length > 0 ? {} : { command: [] }) }),
    ...(wanted.user ? { user: wanted.user } : {}),
    ...(wanted.workingDir ? { working_dir: wanted.workingDir } : {}),
    ...(added.length > 0 ? { cap_add: added } : {}),
    ...(dropped.length > 0 ? { cap_drop: dropped } : {}),
    environment: { ...service.environment, ...variables(project, wanted.environment ?? []) },
    labels: { ...service.labels, ...wanted.labels },
    volumes: [...(service.volumes ?? []), ...(wanted.volumes ?? [])],
  };
}

/** `NAME` alone takes the environment's value, and is left out where it has none. */
function variables(project: Project, given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.flatMap((text) => {
      const at = text.indexOf('=');
      if (at !== -1) return [[text.slice(0, at), text.slice(at + 1)]];
      const value = project.environment[text];
      return value === undefined ? [] : [[text, value]];
    }),
  );
}
