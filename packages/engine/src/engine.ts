import type { Clock, Logger } from '@wharf/kit';
import type { ContentStore } from '@wharf/oci/content/content-store';
import type { Registries } from '@wharf/oci/remote/registries';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Store } from '@wharf/store';
import type { createArchiveService } from './archive/archive.ts';
import type { ContainerService } from './containers/container-service.ts';
import type { DiskService } from './disk/disk.ts';
import type { EngineConfig } from './engine-config.ts';
import type { EventBus } from './events/event-bus.ts';
import type { ExecService } from './exec/exec-service.ts';
import type { createHealthService } from './health/health.ts';
import type { createImageService } from './images/images.ts';
import type { LogService } from './logs/log-service.ts';
import type { createNetworkService } from './networks/networks.ts';
import type { Runtimes } from './runtime/runtime.ts';
import type { createStatsService } from './stats/stats.ts';
import type { createSystemService } from './system/system.ts';
import type { createVolumeService } from './volumes/volumes.ts';

/**
 * All rooms of the engine, as the API's routes see them. Rooms with more verbs than the contract other rooms need
 * (images, volumes, networks) are typed by what their factory returns.
 */
export interface Engine {
  readonly config: EngineConfig;
  readonly store: Store;
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly events: EventBus;
  readonly images: Awaited<ReturnType<typeof createImageService>>;
  /** The way to other registries, opened by its first user. */
  readonly registries: () => Promise<Registries>;
  readonly networks: Awaited<ReturnType<typeof createNetworkService>>;
  readonly volumes: Awaited<ReturnType<typeof createVolumeService>>;
  readonly logs: LogService;
  readonly runtimes: Runtimes;
  readonly containers: ContainerService;
  readonly execs: ExecService;
  readonly health: Awaited<ReturnType<typeof createHealthService>>;
  readonly archive: Awaited<ReturnType<typeof createArchiveService>>;
  readonly stats: Awaited<ReturnType<typeof createStatsService>>;
  readonly system: Awaited<ReturnType<typeof createSystemService>>;
  readonly disk: DiskService;
  readonly log: Logger;
  readonly clock: Clock;
}

/** An engine with its life: what the daemon's main holds. */
export interface RunningEngine extends Engine {
  /** Finds again what was there before the daemon; the API may already answer while it does. */
  start(): Promise<void>;
  /** Ends supervision and the store. Containers run on and are adopted by the next start. */
  stop(): Promise<void>;
}

/** Gives the assembled rooms their life. Idempotent in both directions. */
export function createEngine(rooms: Engine): RunningEngine {
  let started: Promise<void> | undefined;
  let stopped: Promise<void> | undefined;
  return {
    ...rooms,
    start() {
      started ??= rooms.containers.restore().then(() => rooms.disk.start());
      return started;
    },
    stop() {
      stopped ??= stopRooms(rooms);
      return stopped;
    },
  };
}

async function stopRooms(rooms: Engine): Promise<void> {
  rooms.execs.close();
  await rooms.disk.close();
  await rooms.containers.close();
  await rooms.store.committed();
  rooms.store.close();
}
