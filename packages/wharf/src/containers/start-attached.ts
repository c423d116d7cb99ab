import type { DockerClient } from '@wharf/wire/docker-client/client';
import type { Output } from '../cli/output.ts';
import { attachTo, lead, type Streams } from './attach.ts';
import { containerPath } from './path.ts';
import type { Ending } from './streams/pump.ts';
import { followSize } from './streams/terminal-size.ts';
import { type Waiting, waitForExit } from './wait-exit.ts';

export interface AttachedStart {
  readonly client: DockerClient;
  readonly container: string;
  readonly streams: Streams;
  readonly tty: boolean;
  readonly detachKeys: string;
  /** The daemon removes the container at its end. */
  readonly autoRemove: boolean;
  /** Signals go to the container. */
  readonly forwards: boolean;
  readonly out: Output;
  readonly err: Output;
  readonly start: () => Promise<unknown>;
}

/**
 * Joins a container's streams, starts it, and returns its status once all its output is written; 0 for who detached. No output is missed,
 * and no end: both are asked for before the start.
 */
export async function startAttached(wanted: AttachedStart): Promise<number> {
  const { client, container, streams, tty, detachKeys, autoRemove, forwards, out, err, start } = wanted;
  const [connection, waiting] = await Promise.all([
    attachTo({ client, container, streams, detachKeys }),
    waitForExit(client, container, autoRemove ? 'removed' : 'next-exit'),
  ]);
  const stop = new AbortController();
  const leading = lead(connection, { streams, tty, detachKeys, signal: stop.signal, pipeErrors: forwards });
  leading.catch(() => undefined);
  try {
    await start();
  } catch (error) {
    stop.abort();
    await leading.catch(() => undefined);
    // The daemon removes what it could not start: it is gone when we say so.
    if (autoRemove) await waiting.ended;
    waiting.cancel();
    throw error;
  }
  const path = containerPath(container, '/resize');
  using _size = tty && out.isTerminal ? followSize({ client, path, out, err }) : undefined;
  try {
    return await statusAtEnd({ leading, waiting, streams, stop, err });
  } finally {
    // Who left early does not keep the program.
    waiting.cancel();
    stop.abort();
  }
}

interface Running {
  /** The streams, on their way. */
  readonly leading: Promise<Ending>;
  readonly waiting: Waiting;
  readonly streams: Streams;
  readonly stop: AbortController;
  readonly err: Output;
}

async function statusAtEnd({ leading, waiting, streams, stop, err }: Running): Promise<number> {
  const first = await Promise.race([leading, waiting.ended]);
  if (first === 'detached') return 0;
  if (typeof first === 'object') {
    if (!streams.stdout && !streams.stderr) stop.abort();
    await leading.catch(() => undefined);
  }
  const { status, complaint } = await waiting.ended;
  // The terminal is back by now: the line begins where it should.
  if (complaint !== undefined) err.line(complaint);
  return status;
}
