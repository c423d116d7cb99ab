export type EventType = 'container' | 'image' | 'network' | 'volume' | 'daemon' | 'plugin' | 'builder';

/** One event as `GET /events` shows it. */
export interface EngineEvent {
  readonly type: EventType;
  /** Docker's action word: `create`, `start`, `exec_create: sh -c true`, `health_status: healthy`, … */
  readonly action: string;
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly scope: 'local' | 'swarm';
  readonly timeNs: bigint;
}

export interface EventQuery {
  readonly sinceNs?: bigint | undefined;
  readonly untilNs?: bigint | undefined;
  readonly filters: ReadonlyMap<string, readonly string[]>;
  readonly signal: AbortSignal;
}

/** Everything that happens, in order. Publishing never waits; a subscriber that falls behind its bound is ended. */
export interface EventBus {
  publish(event: Omit<EngineEvent, 'scope' | 'timeNs'>): void;
  /** Replays what the ring keeps since `sinceNs`, then follows until `untilNs`, the signal, or for ever. */
  subscribe(query: EventQuery): AsyncIterable<EngineEvent>;
  /** A synchronous in-process listener; returns its removal. It must not throw or wait. */
  listen(listener: (event: EngineEvent) => void): () => void;
}
