import { messageOf, WharfError } from '@wharf/kit';
import { isStatus } from '@wharf/wire/docker-client/errors';
import { containerName } from '../convert/names.ts';
import { networkBody } from '../convert/network.ts';
import { networking } from '../convert/networking.ts';
import { volumeBody } from '../convert/volume.ts';
import type { StepBody } from '../plan/steps.ts';
import { idOf, type RunContext } from './context.ts';
import { reporter } from './progress.ts';

type Of<K extends StepBody['kind']> = Extract<StepBody, { readonly kind: K }>;

/** Creates a network; one that somebody else just made under that name is as good. */
export async function createNetwork(
  { client, project, progress }: RunContext,
  { key, network }: Of<'create-network'>,
  signal: AbortSignal,
): Promise<void> {
  const name = network.name ?? key;
  const say = reporter(progress, `Network ${name}`);
  say.working('Creating');
  try {
    await client.json('POST', '/networks/create', { body: networkBody(project, key, network), signal });
  } catch (error) {
    if (!isStatus(error, 409)) {
      say.error('Error');
      throw rethrown(error, `failed to create network ${name}`);
    }
  }
  say.done('Created');
}

export async function removeNetwork(
  { client, progress }: RunContext,
  { network, name, inUseIsFine }: Of<'remove-network'>,
  signal: AbortSignal,
): Promise<void> {
  const say = reporter(progress, `Network ${name}`);
  if (inUseIsFine) say.working('Removing');
  try {
    await client.json('DELETE', `/networks/${network}`, { signal });
  } catch (error) {
    if (isStatus(error, 404)) {
      say.warning('No resource found to remove');
      return;
    }
    // Docker says 403 of a network with endpoints.
    if (inUseIsFine && (isStatus(error, 403) || isStatus(error, 409))) {
      say.warning('Resource is still in use');
      return;
    }
    say.error('Error');
    throw rethrown(error, `failed to remove network ${name}`);
  }
  say.done('Removed');
}

export async function disconnect(context: RunContext, step: Of<'disconnect'>, signal: AbortSignal): Promise<void> {
  try {
    await context.client.json('POST', `/networks/${step.network}/disconnect`, {
      body: { Container: idOf(context, step.container), Force: true },
      signal,
    });
  } catch (error) {
    if (!isStatus(error, 404)) throw error;
  }
}

export async function connect(context: RunContext, step: Of<'connect'>, signal: AbortSignal): Promise<void> {
  const { project, observed, client } = context;
  const { config } = networking({
    project,
    name: step.container.service,
    service: { ...step.service, networks: { [step.network]: step.service.networks?.[step.network] ?? null } },
    containerName: containerName(project.name, { ...step.service, name: step.container.service }, step.number),
    links: [],
    useAliases: true,
    apiVersion: observed.daemon.apiVersion,
  });
  for (const [name, endpoint] of Object.entries(config?.EndpointsConfig ?? {})) {
    await client.json('POST', `/networks/${encodeURIComponent(name)}/connect`, {
      body: { Container: idOf(context, step.container), EndpointConfig: endpoint },
      signal,
    });
  }
}

export async function createVolume(
  { client, project, progress }: RunContext,
  { key, volume }: Of<'create-volume'>,
  signal: AbortSignal,
): Promise<void> {
  const say = reporter(progress, `Volume ${volume.name ?? key}`);
  say.working('Creating');
  try {
    await client.json('POST', '/volumes/create', { body: volumeBody(project, key, volume), signal });
  } catch (error) {
    say.error('Error');
    throw error;
  }
  say.done('Created');
}

export async function removeVolume(
  { client, progress }: RunContext,
  { name }: Of<'remove-volume'>,
  signal: AbortSignal,
): Promise<void> {
  const say = reporter(progress, `Volume ${name}`);
  await removal(say, () =>
    client.json('DELETE', `/volumes/${encodeURIComponent(name)}`, { query: { force: true }, signal }),
  );
}

export async function removeImage(
  { client, progress }: RunContext,
  { image }: Of<'remove-image'>,
  signal: AbortSignal,
): Promise<void> {
  const say = reporter(progress, `Image ${image}`);
  const path = image.split('/').map(encodeURIComponent).join('/');
  await removal(say, () => client.json('DELETE', `/images/${path}`, { signal }));
}

/** Something that is still used stays, which is told and no error. */
async function removal(say: ReturnType<typeof reporter>, remove: () => Promise<unknown>): Promise<void> {
  say.working('Removing');
  try {
    await remove();
  } catch (error) {
    if (isStatus(error, 409)) return say.warning('Resource is still in use');
    if (isStatus(error, 404)) return say.done('Warning: No resource found to remove');
    throw error;
  }
  say.done('Removed');
}

function rethrown(error: unknown, what: string): unknown {
  if (!(error instanceof WharfError)) return error;
  const { hint } = error;
  return new WharfError(error.kind, `${what}: ${messageOf(error)}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
