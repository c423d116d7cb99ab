import { isStatus } from '@wharf/wire/docker-client/errors';
import type { StepBody, StopContainer } from '../plan/steps.ts';
import { idOf, type RunContext } from './context.ts';
import { runHooks } from './hooks.ts';
import { reporter } from './progress.ts';

type Removal = Extract<StepBody, { readonly kind: 'remove-container' }>;
type Renaming = Extract<StepBody, { readonly kind: 'rename-container' }>;

/** Runs what is to precede its end, and stops the container. One that is gone or ended meanwhile is as good. */
export async function stopContainer(context: RunContext, step: StopContainer, signal: AbortSignal): Promise<void> {
  const { name, service } = step.container;
  const id = idOf(context, step.container);
  const say = reporter(context.progress, `Container ${name}`);
  if (!step.quiet) say.working('Stopping');
  try {
    if (step.service !== undefined) {
      const container = { id, name, service };
      await runHooks(context, container, { hooks: step.service.pre_stop, service: step.service, signal });
    }
    await context.client.json('POST', `/containers/${id}/stop`, { query: { t: step.timeout }, signal });
  } catch (error) {
    if (!isStatus(error, 404) && !isStatus(error, 409)) {
      say.error('Error while Stopping');
      throw error;
    }
  }
  if (!step.quiet) say.done('Stopped');
}

export async function removeContainer(context: RunContext, step: Removal, signal: AbortSignal): Promise<void> {
  const say = reporter(context.progress, `Container ${step.container.name}`);
  const isPart = step.replaced !== undefined;
  if (!isPart) say.working('Removing');
  try {
    await context.client.json('DELETE', `/containers/${idOf(context, step.container)}`, {
      query: { force: step.force, v: step.volumes },
      signal,
    });
  } catch (error) {
    // Gone, or somebody is removing it at this moment.
    if (!isStatus(error, 404) && !(step.force && isStatus(error, 409))) {
      say.error('Error while Removing');
      throw error;
    }
  }
  if (!isPart) say.done('Removed');
}

export async function renameContainer(context: RunContext, step: Renaming, signal: AbortSignal): Promise<void> {
  await context.client.json('POST', `/containers/${idOf(context, step.container)}/rename`, {
    query: { name: step.to },
    signal,
  });
  if (step.replaces) reporter(context.progress, `Container ${step.to}`).done('Recreated');
}
