import type { DaemonAnswer, DockerClient } from '@wharf/wire/docker-client/client';
import { timestampOf } from '@wharf/wire/docker-client/timestamp';
import { containerPath } from '../path.ts';
import type { ContainerState } from '../state.ts';
import { framed } from '../streams/pump.ts';
import { descriptorSink } from '../streams/sink.ts';

/** What of a log is wanted. */
export interface LogWish {
  readonly follow: boolean;
  readonly since: string;
  readonly until: string;
  readonly timestamps: boolean;
  readonly details: boolean;
  readonly tail: string;
}

export interface LogOf {
  readonly client: DockerClient;
  readonly container: ContainerState;
  readonly wish: LogWish;
  readonly signal: AbortSignal;
}

/** Asks for a container's log; the body is framed unless the container has a terminal. */
export function openLog({ client, container, wish, signal }: LogOf): Promise<DaemonAnswer> {
  const query = {
    details: wish.details || undefined,
    follow: wish.follow || undefined,
    since: timestampOf('since', wish.since),
    stderr: true,
    stdout: true,
    tail: wish.tail,
    timestamps: wish.timestamps || undefined,
    until: timestampOf('until', wish.until),
  };
  return client.stream('GET', containerPath(container.id, '/logs'), { query, signal });
}

/** Prints a container's log, byte by byte as it was written. */
export async function showLog(log: LogOf): Promise<number> {
  const { body } = await openLog(log);
  const out = descriptorSink(1);
  const deliver = log.container.tty ? out : framed({ out, err: descriptorSink(2) });
  for await (const chunk of body) await deliver(chunk);
  return 0;
}
