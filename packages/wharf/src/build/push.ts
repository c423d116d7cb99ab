import { parseReference, WharfError } from '@wharf/kit';
import { call, type Endpoint } from '../endpoint.ts';
import type { ClientSteps } from './client-steps.ts';
import type { DockerConfig } from './docker-config.ts';

interface PushMessage {
  readonly status?: string;
  readonly id?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
}

/** Pushes an image of the daemon (Engine API, "ImagePush"), as a step that is shown. Throws what the registry says. */
export async function pushImage(
  endpoint: Endpoint,
  name: string,
  given: { readonly config: DockerConfig; readonly steps: ClientSteps; readonly signal: AbortSignal },
): Promise<void> {
  const { config, steps, signal } = given;
  await steps.run(`pushing ${name}`, async (part) => {
    const { domain } = parseReference(name);
    const login = await config.login(domain);
    const tag = /:([\w.-]+)$/.exec(name.slice(name.lastIndexOf('/') + 1))?.[1] ?? 'latest';
    const repository = name.endsWith(`:${tag}`) ? name.slice(0, -tag.length - 1) : name;
    const answer = await call(endpoint, {
      method: 'POST',
      path: `/images/${encodeURIComponent(repository)}/push?tag=${encodeURIComponent(tag)}`,
      headers: { 'x-registry-auth': Buffer.from(JSON.stringify(login)).toString('base64url') },
      signal,
    });
    for await (const message of jsonLines(answer.body)) {
      const { error, id, status = '', progressDetail = {} } = message as PushMessage;
      if (error !== undefined) throw new WharfError('unavailable', `Cannot push "${name}": ${error}`);
      if (answer.status >= 400) throw new WharfError('unavailable', `Cannot push "${name}": ${textOf(message)}`);
      const { current = 0, total = 0 } = progressDetail;
      if (id !== undefined && /pushing|pushed|exists/i.test(status)) {
        part(id, { current, total, isDone: /pushed|exists/i.test(status) });
      }
    }
  });
}

function textOf(message: unknown): string {
  const { message: text } = message as { readonly message?: string };
  return text ?? JSON.stringify(message);
}

/** Documents that stand one behind the other, a line each. */
async function* jsonLines(body: AsyncIterable<Buffer>): AsyncGenerator<unknown> {
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + chunk.toString('utf8')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield JSON.parse(line);
  }
  if (rest.trim() !== '') yield JSON.parse(rest);
}
