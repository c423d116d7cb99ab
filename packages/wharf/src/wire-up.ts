import { join } from 'node:path';
import { BuildCache } from '@wharf/builder/solver/cache';
import type { ArchiveService } from '@wharf/engine/archive/archive-service';
import { createContainerService } from '@wharf/engine/containers/containers';
import { createDiskService } from '@wharf/engine/disk/disk';
import { createEngine, type Engine, type RunningEngine } from '@wharf/engine/engine';
import { createEventBus } from '@wharf/engine/events/events';
import { createExecService } from '@wharf/engine/exec/execs';
import { createHealthService } from '@wharf/engine/health/health';
import type { HealthHooks } from '@wharf/engine/health/health-service';
import type { ImageUsage, ImageUser } from '@wharf/engine/images/image-service';
import { createImageService } from '@wharf/engine/images/images';
import { createLogService } from '@wharf/engine/logs/logs';
import { createNetworkService } from '@wharf/engine/networks/networks';
import { createRuntimes } from '@wharf/engine/runtime/runtimes';
import { createStatsService } from '@wharf/engine/stats/stats';
import { createProcessStreams } from '@wharf/engine/streams/streams';
import { createSystemService } from '@wharf/engine/system/system';
import { createVolumeService } from '@wharf/engine/volumes/volumes';
import { type Digest, isKind, lazily, lazyService, messageOf, systemClock } from '@wharf/kit';
import { openContentStore } from '@wharf/oci/content/fs-store';
import type { OwnRegistry } from '@wharf/oci/remote/hosts';
import type { Registries } from '@wharf/oci/remote/registries';
import { openSnapshotter } from '@wharf/oci/snapshots/open';
import { openStore } from '@wharf/store';
import type { Volume } from '@wharf/wire/docker/types';
import type { DaemonConfig } from './config/daemon-config.ts';
import { buildsWereInterrupted, type LazyBuilder, lazyBuilder } from './lazy-builder.ts';
import type { DaemonLogger } from './logger.ts';
import { wharfVersion } from './version.ts';

const archiveModule = lazily(() => import('@wharf/engine/archive/archive'));
const registryModules = lazily(() =>
  Promise.all([import('@wharf/oci/remote/registries'), import('./registry-settings.ts')]),
);
const pruneModule = lazily(() => import('@wharf/builder/docker-api/prune'));

/**
 * Puts the engine together: which implementation each interface gets, from the bottom up. Opens what is under the data root and
 * repairs what a crash left there; touches no container yet (`start()` does).
 */
export async function wireUp({
  config,
  log,
  ownRegistry,
}: {
  readonly config: DaemonConfig;
  readonly log: DaemonLogger;
  /** The registry that the daemon serves itself. */
  readonly ownRegistry?: OwnRegistry | undefined;
}): Promise<{ readonly engine: RunningEngine; readonly builder: LazyBuilder }> {
  const clock = systemClock;
  const { dataRoot, execRoot } = config;
  const store = openStore({ path: join(dataRoot, 'wharf.db') });
  try {
    const content = await openContentStore({ root: join(dataRoot, 'content') });
    const snapshots = await openSnapshotter({ root: join(dataRoot, 'snapshots'), driver: config.storageDriver, log });
    const removed = await snapshots.recover();
    if (removed.length > 0) log.info({ removed }, 'remnants of interrupted work are removed');
    const events = createEventBus({ clock, log });
    const runtimes = createRuntimes({
      execRoot,
      runtimes: config.runtimes,
      default: config.defaultRuntime,
      cgroupDriver: config.cgroupDriver,
      log,
    });
    let opened: Promise<Registries> | undefined;
    const registries = (): Promise<Registries> => {
      opened ??= registryModules().then(([{ createRegistries }, { registrySettings }]) =>
        createRegistries({
          content,
          settings: () => registrySettings(config, process.env, ownRegistry),
          userAgent: `wharf/${wharfVersion()}`,
          log,
        }),
      );
      return opened;
    };
    const buildCache = new BuildCache({ store, snapshots, clock });
    const images = await createImageService({
      ...{ content, snapshots, store, events, log, clock, dataRoot, registries },
      roots: () => ({ chainIds: buildCache.roots() }),
    });
    const networks = createNetworkService({ store, execRoot, dataRoot, config, events, log });
    const imageMounts = { images, snapshots };
    const volumes = await createVolumeService({
      ...{ store, dataRoot, events, log, clock, imageMounts },
      pluginDirs: config.pluginDirs,
    });
    const logs = createLogService({
      dataRoot,
      defaults: { driver: config.logDriver, options: config.logOptions },
      log,
    });
    // Health checks and containers need each other: the hooks reach for the other rooms when a probe is due.
    const health = createHealthService({ clock, log, hooks: healthHooks(() => engine) });
    const containers = createContainerService({
      ...{ config, store, snapshots, images, networks, volumes, logs, events, runtimes, health, clock, log },
      execs: () => engine.execs,
      createStreams: createProcessStreams,
    });
    const execs = createExecService({ config, containers, runtimes, createStreams: createProcessStreams, clock, log });
    const archive = lazyService<ArchiveService>(async () =>
      (await archiveModule()).createArchiveService({ containers, volumes, snapshots, dataRoot, log }),
    );
    const stats = createStatsService({ clock, log, find: (id) => containers.find(id) });
    const system = createSystemService({
      config,
      store,
      clock,
      log,
      runtimes,
      snapshots,
      images,
      volumes,
      containers,
      version: wharfVersion(),
      buildCache: async () => {
        const [{ usage }, { cacheItems }] = await Promise.all([builder.open(), pruneModule()]);
        return cacheItems(await usage.list());
      },
    });
    const disk = createDiskService({
      ...{ dataRoot, store, events, snapshots, images, containers, clock, log },
      volumes: () => localNames(volumes.list(new Map())),
      collection: config.collection,
    });
    const rooms: Engine = {
      ...{
        config,
        store,
        content,
        snapshots,
        events,
        images,
        registries,
        networks,
        volumes,
        logs,
        runtimes,
        containers,
        execs,
      },
      ...{ health, archive, stats, system, disk, log, clock },
    };
    networks.setContainers(() => containers.list());
    images.setUsage(() => imageUsage(rooms));
    const engine = createEngine(rooms);
    const builder = lazyBuilder(rooms);
    if (buildsWereInterrupted(rooms)) await builder.open();
    return { engine, builder };
  } catch (error) {
    store.close();
    throw error;
  }
}

function localNames(volumes: readonly Volume[]): readonly string[] {
  return volumes.filter(({ Driver }) => Driver === 'local').map(({ Name }) => Name);
}

/** Which images containers hold, for `rmi` and `prune`. */
function imageUsage({ containers, volumes }: Engine): ImageUsage {
  const usage = new Map<Digest, ImageUser[]>();
  const note = (imageId: Digest, user: ImageUser): void => {
    const users = usage.get(imageId);
    if (users === undefined) usage.set(imageId, [user]);
    else users.push(user);
  };
  for (const { id, imageId, manifestDigest, config, state } of containers.list()) {
    if (imageId === '') continue;
    note(imageId, { containerId: id, running: state.pid > 0, reference: config.Image, manifestDigest });
  }
  for (const { containerId, image, reference } of volumes.imageUses()) {
    if (usage.get(image.id)?.some((user) => user.containerId === containerId) === true) continue;
    const running = (containers.find(containerId)?.state.pid ?? 0) > 0;
    note(image.id, { containerId, running, reference, manifestDigest: image.manifestDigest });
  }
  return usage;
}

function healthHooks(engine: () => Engine): HealthHooks {
  return {
    find: (id) => engine().containers.find(id),
    probe: (record, command, options) => engine().execs.probe(record.id, command, options),
    save: (id, health) => engine().containers.setHealth(id, health),
    publish: (record, action) => engine().containers.publish(record, action),
    onUnhealthy: (record) => {
      const { containers, log } = engine();
      containers.restart(record.id, {}).catch((error: unknown) => {
        if (!isKind(error, 'not-found'))
          log.warn({ container: record.id, error: messageOf(error) }, 'the unhealthy container is not restarted');
      });
    },
  };
}
