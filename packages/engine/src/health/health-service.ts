import type { ContainerId } from '@wharf/kit';
import type { ContainerRecord, HealthState } from '../containers/container.ts';

export interface ProbeOptions {
  readonly timeoutMs: number;
  readonly outputLimitBytes: number;
  readonly signal: AbortSignal;
}

/** What health checks need of the rest of the engine. */
export interface HealthHooks {
  /** The container as it is now; `undefined` when it is gone. */
  find(id: ContainerId): ContainerRecord | undefined;
  /** Runs a command in the container. A rejection counts as a failed probe. */
  probe(
    record: ContainerRecord,
    command: readonly string[],
    options: ProbeOptions,
  ): Promise<{ readonly exitCode: number; readonly output: string; readonly timedOut?: boolean | undefined }>;
  /** Keeps the state in the record. */
  save(id: ContainerId, health: HealthState | undefined): void;
  /** Publishes a container event (`health_status: healthy`). */
  publish(record: ContainerRecord, action: string): void;
  /** A container that asks for it (`restartsOnUnhealthy`) has become unhealthy. */
  onUnhealthy(record: ContainerRecord): void;
}

/** Health checks of running containers. */
export interface HealthService {
  /** The container has been started: its health begins anew. Does nothing for one without a check. */
  start(record: ContainerRecord): void;
  /** Goes on with the health the record has: after an unpause, and for containers found running at a daemon start. */
  resume(record: ContainerRecord): void;
  /** The container stopped or is paused: no more probes; one under way is ended and its result dropped. Idempotent. */
  stop(id: ContainerId): void;
  /** Ends all. */
  close(): void;
}
