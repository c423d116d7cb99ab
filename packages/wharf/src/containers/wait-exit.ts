import { messageOf } from '@wharf/kit/errors';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import type { Output } from '../cli/output.ts';
import { containerPath } from './path.ts';

interface WaitAnswer {
  readonly StatusCode: number;
  readonly Error?: { readonly Message?: string } | null;
}

/** Whose end is waited for: `next-exit` of a container that is about to start, `not-running` of one that runs. */
export type Condition = 'next-exit' | 'removed' | 'not-running';

export interface Waiting {
  /** The exit code; 125 where it cannot be known, which has been said then. */
  readonly status: Promise<number>;
  cancel(): void;
}

/** Docker's status where the container's own is not known. */
const UNKNOWN_STATUS = 125;

/** Takes a place in the line of those who are told the container's end, or its removal; resolves when the place is taken. */
export async function waitForExit(
  client: DockerClient,
  container: string,
  { condition, err }: { readonly condition: Condition; readonly err: Output },
): Promise<Waiting> {
  const abort = new AbortController();
  const query = { condition };
  const path = containerPath(container, '/wait');
  const answer = await client.stream('POST', path, { query, signal: abort.signal });
  const status = answer.text().then(
    (text) => {
      const { StatusCode, Error: failure } = JSON.parse(text) as WaitAnswer;
      if (!failure?.Message) return StatusCode;
      err.line(`Error waiting for container: ${failure.Message}`);
      return UNKNOWN_STATUS;
    },
    (error: unknown) => {
      if (!abort.signal.aborted) err.line(`error waiting for container: ${messageOf(error)}`);
      return UNKNOWN_STATUS;
    },
  );
  return { status, cancel: () => abort.abort() };
}
