import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ContainerId } from '@wharf/kit';
import { newId, nullLogger, ZERO_TIME } from '@wharf/kit';
import { openMemoryStore, type Store } from '@wharf/store';
import type { ContainerConfig, EndpointSettings, HostConfig } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import { defaultEngineConfig } from '../engine-config.ts';
import type { EngineEvent, EventBus } from '../events/event-bus.ts';
import { createNetworkService, type Networks } from './networks.ts';

/** A room of networks of its own under a temporary directory, with what it has announced. */
export interface TestRoom extends AsyncDisposable {
  networks: Networks;
  readonly root: string;
  readonly store: Store;
  readonly events: Pick<EngineEvent, 'action' | 'attributes'>[];
  containerDir(record: ContainerRecord): string;
  /** Plans, sets up and writes the files, as a start does; the record comes back with what is in force. */
  up(record: ContainerRecord): Promise<ContainerRecord>;
  /** As after `kill -9` of the daemon: another room over the same store and directories. */
  restart(running: readonly ContainerRecord[]): Promise<void>;
}

export function testRoom(bridge: string): TestRoom {
  const root = mkdtempSync(join(tmpdir(), 'wharf-networks-'));
  const store = openMemoryStore();
  const events: TestRoom['events'] = [];
  const bus: EventBus = {
    publish: (event) => events.push(event),
    subscribe: () => {
      throw new Error('nobody listens in these tests');
    },
    listen: () => () => {},
  };
  const config = defaultEngineConfig({ dataRoot: root, execRoot: root, bridge });
  const open = (): Networks =>
    createNetworkService({
      store,
      config,
      events: bus,
      log: nullLogger,
      execRoot: join(root, 'run'),
      dataRoot: join(root, 'data'),
    });
  const room: TestRoom = {
    networks: open(),
    root,
    store,
    events,
    containerDir: (record) => join(root, 'data', 'containers', record.id),
    async up(record) {
      const { networks } = room;
      const endpoints =
        record.endpoints.length > 0
          ? record.endpoints
          : await networks.plan({ hostConfig: record.hostConfig, networkingConfig: undefined, hostname: '' });
      const containerDir = room.containerDir(record);
      const sandbox = await networks.setUp({ ...record, endpoints }, { containerDir });
      const running = { ...record, endpoints: sandbox.endpoints, ports: sandbox.ports };
      await networks.writeFiles(running, containerDir);
      return running;
    },
    async restart(running) {
      room.networks.close();
      room.networks = open();
      await room.networks.restore(running);
    },
    async [Symbol.asyncDispose]() {
      // Of a test that failed half way, containers may still be up.
      await room.restart([]);
      room.networks.close();
      store.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
  return room;
}

/** A container as the store would have it before its start. */
export function testRecord(
  name: string,
  hostConfig: HostConfig = {},
  more: { readonly config?: ContainerConfig; readonly endpoints?: Readonly<Record<string, EndpointSettings>> } = {},
): ContainerRecord {
  const id = newId<'container'>() as ContainerId;
  return {
    id,
    name,
    createdAt: '2026-01-01T00:00:00Z',
    path: '/bin/true',
    args: [],
    config: { Hostname: id.slice(0, 12), ...more.config },
    hostConfig,
    imageId: '',
    manifestDigest: '',
    platform: { os: 'linux', architecture: 'amd64' },
    chainId: '',
    snapshotKey: '',
    mounts: [],
    endpoints: Object.entries(more.endpoints ?? {}).map(([networkName, settings]) => ({
      networkName,
      networkId: '',
      settings,
    })),
    ports: {},
    state: {
      status: 'running',
      pid: 0,
      monitorPid: 0,
      exitCode: 0,
      error: '',
      oomKilled: false,
      startedAt: ZERO_TIME,
      finishedAt: ZERO_TIME,
      restartCount: 0,
      manuallyStopped: false,
      hasBeenStarted: true,
    },
  };
}
