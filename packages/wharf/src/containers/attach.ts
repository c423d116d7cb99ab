import type { Duplex } from 'node:stream';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { ExitError } from '../cli/errors.ts';
import { containerPath } from './path.ts';
import { type Ending, pump } from './streams/pump.ts';
import { descriptorSink } from './streams/sink.ts';

/** Which streams of a container are led here. */
export interface Streams {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

interface Attachment {
  readonly client: DockerClient;
  readonly container: string;
  readonly streams: Streams;
  readonly detachKeys: string;
}

/** Joins a container's streams; resolves when its output is kept for us. */
export async function attachTo({ client, container, streams, detachKeys }: Attachment): Promise<Duplex> {
  const { stdin, stdout, stderr } = streams;
  const only = (wanted: boolean): true | undefined => wanted || undefined;
  const query = {
    detachKeys: detachKeys || undefined,
    stderr: only(stderr),
    stdin: only(stdin),
    stdout: only(stdout),
    stream: true,
  };
  const path = containerPath(container, '/attach');
  const { stream } = await client.hijack('POST', path, { query, headers: { 'Content-Type': 'text/plain' } });
  return stream;
}

/** Leads the streams of a connection to ours until it ends. */
export function lead(
  connection: Duplex,
  {
    streams,
    tty,
    detachKeys,
    signal,
    pipeErrors = false,
  }: {
    readonly streams: Streams;
    readonly tty: boolean;
    readonly detachKeys: string;
    readonly signal?: AbortSignal;
    /** See `descriptorSink()`. */
    readonly pipeErrors?: boolean;
  },
): Promise<Ending> {
  const out = descriptorSink(1, { pipeErrors });
  return pump({
    ...{ connection, tty, detachKeys },
    input: streams.stdin ? process.stdin : undefined,
    out: streams.stdout ? out : undefined,
    err: streams.stderr ? (tty ? out : descriptorSink(2, { pipeErrors })) : undefined,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Docker's refusal to lead a pipe to a terminal. */
export function noTerminal(): ExitError {
  return new ExitError(1, 'the input device is not a TTY', 'Leave out -t: standard input is no terminal here.');
}
