import { WharfError } from '@wharf/kit';
import type { ContainerWaitResponse } from '@wharf/wire/docker/types';
import { containerRequest, uploadsOf } from '../convert/container.ts';
import { INIT_STEP } from '../convert/labels.ts';
import { imageName } from '../convert/names.ts';
import type { InitStep, Service } from '../model/service.ts';
import type { StepBody } from '../plan/steps.ts';
import type { RunContext } from './context.ts';
import { createFrom } from './create-step.ts';
import { reporter } from './progress.ts';
import { writeFiles } from './start-step.ts';

type Init = Extract<StepBody, { readonly kind: 'init' }>;

/**
 * Runs one step of `pre_start` in a container of its own, with the service's networks and volumes, to its end. What it leaves is in
 * volumes; its container goes. Throws when it fails.
 */
export async function runInit(context: RunContext, step: Init, signal: AbortSignal): Promise<void> {
  const { client, project, options, observed, host } = context;
  const name = step.container.service;
  const init = step.service.pre_start?.[step.index] ?? {};
  const service = initService(step.service, init, imageName(project.name, name, step.service));
  const container = `${step.container.name}-init-${step.index + 1}`;
  const say = reporter(context.progress, `Container ${container}`);
  const request = containerRequest({
    project,
    name,
    service: { ...service, container_name: container },
    envFiles: options.envFiles ?? [],
    image: observed.images[imageName(project.name, name, service)] ?? { volumes: [] },
    inherited: [],
    apiVersion: observed.daemon.apiVersion,
    proxyEnvironment: options.proxyEnvironment ?? {},
    namesOf: () => [],
    host,
    useAliases: false,
  });
  const body = { ...request.body, Labels: { ...request.body.Labels, [INIT_STEP]: String(step.index + 1) } };
  say.working('Creating');
  // One of an attempt that was cut off.
  await client.json('DELETE', `/containers/${container}`, { query: { force: true, v: true }, signal }).catch(() => {});
  const id = await createFrom(context, { request: { ...request, body }, name: container, service: name, signal });
  try {
    await writeFiles(client, id, uploadsOf(project, name, service, host), signal);
    const ended = client.json<ContainerWaitResponse>('POST', `/containers/${id}/wait`, {
      query: { condition: 'next-exit' },
      signal,
    });
    ended.catch(() => {});
    say.working('Starting');
    await client.json('POST', `/containers/${id}/start`, { signal });
    const { StatusCode } = await ended;
    if (StatusCode !== 0) {
      say.error(`exit ${StatusCode}`);
      throw new WharfError(
        'failed-precondition',
        `service ${JSON.stringify(name)} cannot start: step ${step.index + 1} of pre_start ended with exit code ${StatusCode}`,
        { hint: `It was: ${(init.command ?? ['the command of its image']).join(' ')}` },
      );
    }
    say.done('Exited');
  } finally {
    await client.json('DELETE', `/containers/${id}`, { query: { force: true, v: true } }).catch(() => {});
  }
}

/** The service as its initial step runs: once, unpublished, unchecked, without a restart. */
function initService(service: Service, init: InitStep, image: string): Service {
  const { ports: _ports, healthcheck: _check, restart: _restart, container_name: _name, deploy, ...rest } = service;
  const { restart_policy: _policy, ...kept } = deploy ?? { resources: {}, placement: {} };
  const { command, entrypoint, ...base } = rest;
  // An image of its own has commands of its own.
  const own = init.image === undefined ? { ...(entrypoint === undefined ? {} : { entrypoint }) } : {};
  const given = init.command ?? (init.image === undefined ? command : undefined);
  return {
    ...base,
    ...own,
    ...(deploy === undefined ? {} : { deploy: kept }),
    ...(given === undefined ? {} : { command: given }),
    image: init.image ?? image,
    environment: { ...service.environment, ...init.environment },
    privileged: init.privileged ?? false,
    ...(init.user === undefined ? {} : { user: init.user }),
    ...(init.working_dir === undefined ? {} : { working_dir: init.working_dir }),
  };
}
