import type { DockerClient } from '@wharf/wire/docker-client/client';
import { Demuxer, STDERR } from '@wharf/wire/stdcopy';
import { LineSplitter } from './line-splitter.ts';

/** Takes a container's lines, without their line breaks. */
export interface LineSink {
  out(line: Buffer): void;
  err(line: Buffer): void;
}

export interface LogChoice {
  readonly follow: boolean;
  /** Unix seconds, perhaps with a fraction. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** A number, or `all`. */
  readonly tail?: string | undefined;
  readonly timestamps?: boolean | undefined;
}

/** What a container has written. Resolves at the end of the log; with `follow`, when the container is over. */
export async function readLog(
  client: DockerClient,
  id: string,
  given: LogChoice & { readonly sink: LineSink; readonly signal: AbortSignal },
): Promise<void> {
  const { follow, since, until, tail, timestamps = false, sink, signal } = given;
  const { headers, body } = await client.stream('GET', `/containers/${id}/logs`, {
    query: {
      stdout: 1,
      stderr: 1,
      ...(follow ? { follow: 1 } : {}),
      since,
      until,
      tail,
      ...(timestamps ? { timestamps: 1 } : {}),
    },
    signal,
  });
  await deliver(client, id, { isFramed: isFramed(headers['content-type']), body, sink, signal });
}

/**
 * Attaches to what a container writes from now on. Resolves once that holds; `ended` when the container's output is over. Rejections
 * after that are in `ended`.
 */
export async function attachOutput(
  client: DockerClient,
  id: string,
  given: { readonly sink: LineSink; readonly signal: AbortSignal },
): Promise<{ readonly ended: Promise<void> }> {
  const { sink, signal } = given;
  const { stream, headers } = await client.hijack('POST', `/containers/${id}/attach`, {
    query: { stream: 1, stdout: 1, stderr: 1 },
    signal,
  });
  const leave = (): void => void stream.destroy();
  signal.addEventListener('abort', leave, { once: true });
  const ended = deliver(client, id, {
    isFramed: isFramed(headers['content-type']),
    body: stream,
    sink,
    signal,
  }).finally(() => signal.removeEventListener('abort', leave));
  return { ended };
}

interface Delivery {
  readonly isFramed: boolean | undefined;
  readonly body: AsyncIterable<Buffer>;
  readonly sink: LineSink;
  readonly signal: AbortSignal;
}

async function deliver(client: DockerClient, id: string, { isFramed, body, sink, signal }: Delivery): Promise<void> {
  const framed = isFramed ?? !(await hasTerminal(client, id, signal));
  const out = new LineSplitter((line) => sink.out(line));
  const err = new LineSplitter((line) => sink.err(line));
  const demuxer = new Demuxer((stream, bytes) => (stream === STDERR ? err : out).push(bytes));
  try {
    for await (const chunk of body) {
      if (framed) demuxer.push(chunk);
      else out.push(chunk);
    }
  } catch (error) {
    // Whoever leaves closes the connection, which is then an error of reading.
    if (!signal.aborted) throw error;
  }
  out.end();
  err.end();
}

/** What the answer says of its form; daemons below 1.42 say nothing. */
function isFramed(type: string | undefined): boolean | undefined {
  if (type === 'application/vnd.docker.multiplexed-stream') return true;
  return undefined;
}

async function hasTerminal(client: DockerClient, id: string, signal: AbortSignal): Promise<boolean> {
  const { Config } = await client.json<{ readonly Config: { readonly Tty: boolean } }>(
    'GET',
    `/containers/${id}/json`,
    {
      signal,
    },
  );
  return Config.Tty;
}
