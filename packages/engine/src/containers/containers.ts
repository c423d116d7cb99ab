import { WharfError } from '@wharf/kit';
import { containerNotRunning, noSuchContainer } from '@wharf/wire/docker/messages';
import { scheduleRestart } from './auto-restart.ts';
import { createCheckpoint, listCheckpoints, removeCheckpoint } from './checkpoint.ts';
import { noCheckpoints } from './checkpoint-support.ts';
import { commitContainer } from './commit.ts';
import type { ContainerService } from './container-service.ts';
import { createContainer } from './create.ts';
import type { ExitFollowUps } from './exit.ts';
import { cannotKill, killContainer } from './kill.ts';
import { pauseContainer, unpauseContainer } from './pause.ts';
import { pruneContainers } from './prune.ts';
import { autoRemove, removeContainer } from './remove.ts';
import { renameContainer } from './rename.ts';
import { loadRecords, restoreContainers } from './restore.ts';
import { type ContainerDeps, createRoom, locked, publish, type Room, runtimeOf } from './room.ts';
import { acquireRootfs, releaseRootfs } from './rootfs.ts';
import { sizeOf } from './size.ts';
import { startContainer } from './start.ts';
import { restartContainer, stopContainer } from './stop.ts';
import { topContainer } from './top.ts';
import { updateContainer } from './update.ts';
import { waitForContainer } from './wait.ts';
import { makeWorkingDirectory } from './working-directory.ts';

export type { ContainerDeps } from './room.ts';

/** Makes the room of containers. Records answer at once; call `restore` before anything is changed. */
export function createContainerService(deps: ContainerDeps): ContainerService {
  const room = createRoom(deps);
  const then: ExitFollowUps = {
    scheduleRestart: (live, delayMs) => scheduleRestart(room, live, delayMs, then),
    autoRemove: (live) => autoRemove(room, live, then),
  };
  loadRecords(room);
  return { ...readers(room), ...lifeVerbs(room, then), ...changeVerbs(room), ...services(room, then) };
}

type Readers = Pick<ContainerService, 'get' | 'find' | 'list' | 'streams' | 'log' | 'execIds'>;

function readers(room: Room): Readers {
  const { registry } = room;
  return {
    get: (idOrName) => registry.get(idOrName).record,
    find: (idOrName) => registry.find(idOrName)?.record,
    list: () => registry.all().map(({ record }) => record),
    streams: (id) => registry.get(id).streams,
    log: (id) => room.logs.open(registry.get(id).record),
    execIds: (id) => room.execs().running(id),
  };
}

type LifeVerbs = Pick<
  ContainerService,
  'create' | 'start' | 'stop' | 'kill' | 'restart' | 'pause' | 'unpause' | 'remove' | 'wait' | 'resize' | 'prune'
>;

function lifeVerbs(room: Room, then: ExitFollowUps): LifeVerbs {
  const { registry } = room;
  return {
    create: (options) => createContainer(room, options),
    async start(idOrName, options = {}) {
      const live = registry.get(idOrName);
      if (options.checkpoint) {
        throw await noCheckpoints(`restore container ${live.record.name}`, runtimeOf(room, live.record));
      }
      await startContainer(room, live, then);
    },
    stop: async (name, options) => stopContainer(room, registry.get(name), { ...options, name }, then),
    async kill(name, signal) {
      const live = registry.find(name);
      if (live === undefined) throw cannotKill(name, 'not-found', noSuchContainer(name));
      await killContainer(room, live, { name, signal }, then);
    },
    restart: async (name, options) => restartContainer(room, registry.get(name), { ...options, name }, then),
    pause: async (name) => pauseContainer(room, registry.get(name)),
    unpause: async (name) => unpauseContainer(room, registry.get(name)),
    remove: async (name, options) => removeContainer(room, registry.get(name), { ...options, name }, then),
    wait: (name, condition, signal) => waitForContainer(registry.get(name), condition, signal),
    resize(name, size) {
      const live = registry.get(name);
      if (live.run === undefined) throw new WharfError('conflict', containerNotRunning(live.id));
      if (live.record.config.Tty === true) live.streams.resize(size);
      publish(room, live.record, 'resize', { height: String(size.height), width: String(size.width) });
    },
    prune: (filters) => pruneContainers(room, filters, then),
  };
}

type ChangeVerbs = Pick<
  ContainerService,
  'rename' | 'update' | 'top' | 'commit' | 'checkpointCreate' | 'checkpointList' | 'checkpointRemove'
>;

function changeVerbs(room: Room): ChangeVerbs {
  const { registry } = room;
  return {
    rename: async (name, newName) => renameContainer(room, registry.get(name), newName),
    update: async (name, change) => updateContainer(room, registry.get(name), change),
    top: async (name, psArguments) => topContainer(room, registry.get(name), psArguments),
    commit: async (name, options) => commitContainer(room, registry.get(name), options),
    checkpointCreate: async (name, options) => createCheckpoint(room, registry.get(name), options),
    checkpointList: async (name, directory) => listCheckpoints(room, registry.get(name), directory),
    checkpointRemove: async (name, checkpoint, directory) =>
      removeCheckpoint(room, registry.get(name), { checkpoint, directory }),
  };
}

type Services = Pick<ContainerService, 'withRootfs' | 'size' | 'amend' | 'setHealth' | 'publish' | 'restore' | 'close'>;

function services(room: Room, then: ExitFollowUps): Services {
  const { registry } = room;
  return {
    async withRootfs(id, work) {
      const live = registry.get(id);
      const rootfs = await locked(room, live, async () => {
        // Removed while we waited for our turn.
        registry.get(id);
        return acquireRootfs(room, live);
      });
      try {
        const { config, state } = live.record;
        if (!state.hasBeenStarted && config.WorkingDir) makeWorkingDirectory(rootfs, config.WorkingDir);
        return await work(rootfs);
      } finally {
        await releaseRootfs(room, live);
      }
    },
    async size(id) {
      const live = registry.get(id);
      return sizeOf(room, live);
    },
    amend(id, change) {
      const live = registry.byId(id);
      return live === undefined ? undefined : registry.save(live, change(live.record));
    },
    setHealth(id, health) {
      const live = registry.byId(id);
      if (live === undefined || live.run === undefined) return;
      registry.saveState(live, { health });
      room.networks.avoid(id, health !== undefined && health.status !== 'healthy');
    },
    publish: (record, action, extra) => publish(room, record, action, extra),
    restore: () => restoreContainers(room, then),
    async close() {
      room.closing = true;
      room.closed.resolve();
      for (const live of registry.all()) {
        live.pendingRestart?.abort();
        live.streams.close();
      }
      await Promise.allSettled([...room.background, ...registry.all().map(({ cleared }) => cleared)]);
    },
  };
}
