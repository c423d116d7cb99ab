import { uploadsOf } from '../convert/container.ts';
import type { Upload } from '../convert/files.ts';
import { tarOf } from '../convert/tar.ts';
import type { StartContainer } from '../plan/steps.ts';
import { idOf, type RunContext } from './context.ts';
import { runHooks } from './hooks.ts';
import { withPortHolder } from './port-holder.ts';
import { reporter } from './progress.ts';

/** Writes secrets and configs into a container, starts it, and runs what is to follow its start. */
export async function startContainer(context: RunContext, step: StartContainer, signal: AbortSignal): Promise<void> {
  const { client, project, host } = context;
  const id = idOf(context, step.container);
  const { name, service: serviceName } = step.container;
  const say = reporter(context.progress, `Container ${name}`);
  const started = { id, name, service: serviceName };
  try {
    if (step.service !== undefined) {
      await writeFiles(client, id, uploadsOf(project, serviceName, step.service, host), signal);
    }
    await context.beforeStart?.(started);
    say.working('Starting');
    await client.json('POST', `/containers/${id}/start`, { signal });
    if (step.service !== undefined) {
      await runHooks(context, started, { hooks: step.service.post_start, service: step.service, signal });
    }
  } catch (error) {
    say.error('Error', error instanceof Error ? error.message : String(error));
    throw await withPortHolder(client, error);
  }
  say.done('Started');
}

/**
 * Writes files into a container that does not run. The owners in the archive count: `copyUIDGID` would put the container's user in
 * their place.
 */
export async function writeFiles(
  client: RunContext['client'],
  id: string,
  files: readonly Upload[],
  signal: AbortSignal,
): Promise<void> {
  if (files.length === 0) return;
  await client.json('PUT', `/containers/${id}/archive`, {
    query: { path: '/' },
    body: tarOf(files, Math.trunc(Date.now() / 1000)),
    headers: { 'Content-Type': 'application/x-tar' },
    signal,
  });
}
