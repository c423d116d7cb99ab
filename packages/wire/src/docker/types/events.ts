import type { Uint64 } from './common.ts';

export interface EventActor {
  readonly ID: string;
  readonly Attributes: Readonly<Record<string, string>>;
}

/** One line of `GET /events`. */
export interface EventMessage {
  /** The three lower-case fields repeat action, id and image of container and image events; below 1.52 only. */
  readonly status?: string | undefined;
  readonly id?: string | undefined;
  readonly from?: string | undefined;
  readonly Type: string;
  readonly Action: string;
  readonly Actor: EventActor;
  readonly scope?: 'local' | 'swarm' | undefined;
  readonly time?: number | undefined;
  readonly timeNano?: Uint64 | undefined;
}
