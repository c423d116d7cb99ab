import type { ContainerCreateResponse } from '@wharf/wire/docker/types';
import { type ContainerRequest, containerRequest } from '../convert/container.ts';
import { CONFIG_HASH } from '../convert/labels.ts';
import { imageName } from '../convert/names.ts';
import { asksForRestartWhenUnhealthy } from '../convert/restart.ts';
import type { Service } from '../model/service.ts';
import { resolveReferences } from '../plan/references.ts';
import { CANDIDATE_PREFIX } from '../plan/rollout.ts';
import type { CreateContainer } from '../plan/steps.ts';
import { idOf, type RunContext } from './context.ts';
import { reporter } from './progress.ts';

/** Creates a container. Its events are its own, or those of the recreation of the one it replaces. */
export async function createContainer(context: RunContext, step: CreateContainer, signal: AbortSignal): Promise<void> {
  const say = reporter(context.progress, `Container ${step.container.name}`);
  say.working(step.replaces === undefined ? 'Creating' : 'Recreate');
  try {
    const request = requestOf(context, step);
    for (const warning of request.warnings) context.warn(warning);
    const id = await createFrom(context, { request, name: step.as, service: step.container.service, signal });
    context.created.set(step.container.key, id);
  } catch (error) {
    say.error('Error', error instanceof Error ? error.message : String(error));
    throw error;
  }
  if (step.replaces === undefined) say.done('Created');
}

function requestOf(context: RunContext, step: CreateContainer): ContainerRequest {
  const { project, observed, options } = context;
  const name = step.container.service;
  const service = resolved(context, step);
  if (asksForRestartWhenUnhealthy(service) && !observed.daemon.restartsUnhealthy) {
    context.warn(
      `service ${name}: this daemon does not restart unhealthy containers; "on-unhealthy" counts as "on-failure"`,
    );
  }
  const replaced = observed.containers.find(({ id }) => id === step.replaces?.id);
  const request = containerRequest({
    project,
    name,
    service,
    number: step.number,
    envFiles: options.envFiles ?? [],
    image: observed.images[imageName(project.name, name, service)] ?? { volumes: [] },
    ...(step.replaces === undefined ? {} : { replaces: service.container_name ?? `${name}-${step.number}` }),
    inherited: step.inheritVolumes ? (replaced?.mounts ?? []) : [],
    apiVersion: observed.daemon.apiVersion,
    proxyEnvironment: options.proxyEnvironment ?? {},
    namesOf: (linked) => step.linked[linked] ?? [],
    host: context.host,
  });
  return step.publish ? request : unpublished(request);
}

/** The service with ids for the containers it refers to. */
function resolved(context: RunContext, { service, references }: CreateContainer): Service {
  return resolveReferences(service, (name) => {
    const ref = references[name];
    if (ref === undefined) throw new Error(`service ${name} is referred to and not planned`);
    return idOf(context, ref);
  });
}

/** Neither ports nor a hash that says it is the service's: both come when it takes its predecessor's place. */
function unpublished(request: ContainerRequest): ContainerRequest {
  const { body } = request;
  const hash = body.Labels?.[CONFIG_HASH] ?? '';
  return {
    ...request,
    body: {
      ...body,
      Labels: { ...body.Labels, [CONFIG_HASH]: `${CANDIDATE_PREFIX}${hash}` },
      HostConfig: { ...body.HostConfig, PortBindings: {} },
    },
  };
}

/** Creates the container and answers its id; networks that the request cannot hold are connected one by one. */
export async function createFrom(
  context: Pick<RunContext, 'client' | 'progress'>,
  options: {
    readonly request: ContainerRequest;
    readonly name: string;
    readonly service: string;
    readonly signal: AbortSignal;
  },
): Promise<string> {
  const { request, name, service, signal } = options;
  const { Id, Warnings } = await context.client.json<ContainerCreateResponse>('POST', '/containers/create', {
    query: { name, platform: request.platform },
    body: request.body,
    signal,
  });
  for (const text of Warnings ?? []) context.progress({ id: service, status: 'warning', text });
  for (const { network, endpoint } of request.connect) {
    const path = `/networks/${encodeURIComponent(network)}/connect`;
    await context.client.json('POST', path, { body: { Container: Id, EndpointConfig: endpoint }, signal });
  }
  return Id;
}
