import type { ProgressEvent, ProgressStatus } from './event.ts';

/** A piece of work as it stands. */
export interface Task {
  readonly id: string;
  readonly parentId: string;
  readonly status: ProgressStatus;
  readonly text: string;
  readonly statusText: string;
  readonly current: number;
  readonly total: number;
  readonly percent: number;
  /** Milliseconds of the clock that is given. */
  readonly startedAt: number;
  readonly endedAt: number | undefined;
}

/** All pieces of work of a command, in the order in which they were heard of. */
export class Board {
  readonly #tasks = new Map<string, Task>();
  readonly #tails: string[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get tasks(): readonly Task[] {
    return [...this.#tasks.values()];
  }

  get tails(): readonly string[] {
    return this.#tails;
  }

  tail(message: string): void {
    this.#tails.push(message);
  }

  /** How far a transfer is only grows; what is over may begin again (a container that is stopped, then removed). */
  event(event: ProgressEvent): void {
    const last = this.#tasks.get(event.id);
    const now = this.#now();
    const isOver = event.status !== 'working';
    const wasOver = last !== undefined && last.status !== 'working';
    this.#tasks.set(event.id, {
      id: event.id,
      parentId: event.parentId ?? '',
      status: event.status,
      text: event.text ?? '',
      statusText: event.statusText ?? '',
      current: Math.max(event.current ?? 0, last?.current ?? 0),
      total: Math.max(event.total ?? 0, last?.total ?? 0),
      percent: Math.max(event.percent ?? 0, last?.percent ?? 0),
      startedAt: last?.startedAt ?? now,
      endedAt: isOver ? (wasOver ? (last.endedAt ?? now) : now) : undefined,
    });
  }
}
