import { parseReference, WharfError } from '@wharf/kit';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { DaemonError } from '@wharf/wire/docker-client/errors';
import type { DockerConfig } from '../client-config/docker-config.ts';
import type { ClientSteps } from './client-steps.ts';

interface PushMessage {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
}

/** Pushes an image of the daemon (Engine API, "ImagePush"), as a step that is shown. Throws what the registry says. */
export async function pushImage(
  daemon: DockerClient,
  name: string,
  given: { readonly config: DockerConfig; readonly steps: ClientSteps; readonly signal: AbortSignal },
): Promise<void> {
  const { config, steps, signal } = given;
  await steps.run(`pushing ${name}`, async (part) => {
    const { domain } = parseReference(name);
    const tag = /:([\w.-]+)$/.exec(name.slice(name.lastIndexOf('/') + 1))?.[1] ?? 'latest';
    const repository = name.endsWith(`:${tag}`) ? name.slice(0, -tag.length - 1) : name;
    const messages = daemon.messages<PushMessage>('POST', `/images/${encodeURIComponent(repository)}/push`, {
      query: { tag },
      headers: { 'X-Registry-Auth': await config.registryAuth(domain) },
      signal,
    });
    try {
      for await (const { error, id, status = '', progressDetail = {} } of messages) {
        if (error !== undefined) throw new WharfError('unavailable', `Cannot push "${name}": ${error}`);
        const { current = 0, total = 0 } = progressDetail;
        if (id !== undefined && /pushing|pushed|exists/i.test(status)) {
          part(id, { current, total, isDone: /pushed|exists/i.test(status) });
        }
      }
    } catch (error) {
      if (!(error instanceof DaemonError)) throw error;
      throw new WharfError('unavailable', `Cannot push "${name}": ${error.daemonMessage}`, { cause: error });
    }
  });
}
