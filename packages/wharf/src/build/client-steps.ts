import { randomUUID } from 'node:crypto';
import type { StatusMessage, TimestampMessage } from '@wharf/builder/buildkit/messages';
import { messageOf } from '@wharf/kit';
import { timestampOf } from './model.ts';

/** Tells of a part of a step. */
export type PartListener = (
  id: string,
  state: { readonly current: number; readonly total?: number; readonly isDone?: boolean },
) => void;

/** Steps that the client does itself, told in the messages in which the daemon tells of its own. */
export class ClientSteps {
  readonly #tell: (message: StatusMessage) => void;

  constructor(tell: (message: StatusMessage) => void) {
    this.#tell = tell;
  }

  /** Runs `work` as a step of that name. */
  async run<T>(name: string, work: (part: PartListener) => Promise<T>): Promise<T> {
    const digest = `client:${randomUUID()}`;
    const started = now();
    this.#tell({ vertexes: [{ digest, name, started }] });
    const parts = new Map<string, TimestampMessage>();
    const part: PartListener = (ID, { current, total = 0, isDone = false }) => {
      const begun = parts.get(ID) ?? now();
      parts.set(ID, begun);
      const completed = isDone ? { completed: now() } : {};
      this.#tell({
        statuses: [{ ID, vertex: digest, current, total, started: begun, timestamp: now(), ...completed }],
      });
    };
    try {
      const result = await work(part);
      this.#tell({ vertexes: [{ digest, name, started, completed: now() }] });
      return result;
    } catch (error) {
      this.#tell({ vertexes: [{ digest, name, started, completed: now(), error: messageOf(error) }] });
      throw error;
    }
  }
}

function now(): TimestampMessage {
  return timestampOf(Date.now());
}
