import { messageOf } from '@wharf/kit/errors';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { containerPath } from './path.ts';

/** Said where the daemon went away under a running process. */
export const LOST_CONNECTION = 'The connection to the daemon was lost; what was started there may still be running.';

interface WaitAnswer {
  readonly StatusCode: number;
  readonly Error?: { readonly Message?: string } | null;
}

/** Whose end is waited for: `next-exit` of a container that is about to start, `not-running` of one that runs. */
export type Condition = 'next-exit' | 'removed' | 'not-running';

/** A container's end. */
export interface Ended {
  /** The exit code; 125 where it cannot be known. */
  readonly status: number;
  /** Why it cannot be known. */
  readonly complaint?: string;
  /** The daemon did not say so itself: it was lost. */
  readonly lost?: unknown;
}

export interface Waiting {
  readonly ended: Promise<Ended>;
  cancel(): void;
}

/** Docker's status where the container's own is not known. */
const UNKNOWN_STATUS = 125;

/** Takes a place in the line of those who are told the container's end, or its removal; resolves when the place is taken. */
export async function waitForExit(client: DockerClient, container: string, condition: Condition): Promise<Waiting> {
  const abort = new AbortController();
  const path = containerPath(container, '/wait');
  const answer = await client.stream('POST', path, { query: { condition }, signal: abort.signal });
  const ended = answer.text().then(
    (text): Ended => {
      const { StatusCode, Error: failure } = JSON.parse(text) as WaitAnswer;
      if (!failure?.Message) return { status: StatusCode };
      return { status: UNKNOWN_STATUS, complaint: `Error waiting for container: ${failure.Message}` };
    },
    (error: unknown): Ended => ({
      status: UNKNOWN_STATUS,
      complaint: `error waiting for container: ${messageOf(error)}\n${LOST_CONNECTION}`,
      lost: error,
    }),
  );
  return { ended, cancel: () => abort.abort() };
}
