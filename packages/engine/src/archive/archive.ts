import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, type Logger, messageOf, WharfError } from '@wharf/kit';
import { listChanges } from '@wharf/oci/layers/diff';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { WorkerPool } from '@wharf/oci/workers/pool';
import { exportingDead, exportingRemoved, noSuchFileInContainer } from '@wharf/wire/docker/messages';
import type { ContainerPathStat } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import type { ContainerService } from '../containers/container-service.ts';
import { userIn } from '../containers/user-lookup.ts';
import type { VolumeService } from '../volumes/volume-service.ts';
import { NO_SUCH_PATH, type PathParams, type PutParams } from './archive-jobs.ts';
import type { ArchiveService } from './archive-service.ts';
import type { ContainerView, ViewMount } from './container-view.ts';
import { ARCHIVE_WORKERS } from './limits.ts';

export interface ArchiveDeps {
  readonly containers: Pick<ContainerService, 'get' | 'withRootfs' | 'publish'>;
  readonly volumes: Pick<VolumeService, 'runtimeMounts' | 'unmount'>;
  readonly snapshots: Snapshotter;
  readonly dataRoot: string;
  readonly log: Logger;
}

const module = import.meta.resolve('./archive-jobs.ts');

/** Makes the archive room. */
export function createArchiveService(deps: ArchiveDeps): ArchiveService {
  const { containers, snapshots, log } = deps;
  const pool = new WorkerPool({ name: 'archive', size: ARCHIVE_WORKERS });

  /** Runs `work` on the container's view, in Docker's words when the path is missing. */
  const seen = async <T>(
    idOrName: string,
    path: string,
    work: (view: ContainerView, record: ContainerRecord) => Promise<T>,
  ): Promise<T> => {
    const record = containers.get(idOrName);
    try {
      return await withView(deps, record, (view) => work(view, record));
    } catch (error) {
      if (!(error instanceof WharfError) || error.code !== NO_SUCH_PATH) throw error;
      throw new WharfError('not-found', noSuchFileInContainer(path, idOrName), { cause: error });
    }
  };

  return {
    stat: (idOrName, path) =>
      seen(idOrName, path, (view) =>
        pool.run<PathParams, ContainerPathStat>({ module, job: 'statJob', params: { view, path } }),
      ),

    get: (idOrName, path, { begin, write, signal }) =>
      seen(idOrName, path, async (view, record) => {
        const note = (stat: unknown): void => begin(stat as ContainerPathStat);
        await pool.run<PathParams, void>({
          module,
          job: 'getJob',
          params: { view, path },
          note,
          output: write,
          signal,
        });
        containers.publish(record, 'archive-path');
      }),

    put: (idOrName, { path, body, signal, noOverwriteDirNonDir, copyUidGid }) =>
      seen(idOrName, path, async (view, record) => {
        const params: PutParams = {
          view,
          path,
          keepKinds: noOverwriteDirNonDir,
          owner: copyUidGid ? (record.config.User ?? '') : undefined,
          readOnlyRoot: record.hostConfig.ReadonlyRootfs === true,
          mounts: record.mounts.map(({ Destination, RW }) => ({ destination: Destination, readOnly: !RW })),
        };
        await pool.run<PutParams, void>({ module, job: 'putJob', params, input: body, signal });
        containers.publish(record, 'extract-to-dir');
      }),

    async export(idOrName, { write, signal }) {
      const record = containers.get(idOrName);
      const { status } = record.state;
      if (status === 'dead') throw new WharfError('conflict', exportingDead(record.id));
      if (status === 'removing') throw new WharfError('conflict', exportingRemoved(record.id));
      await containers.withRootfs(record.id, (rootfs) =>
        pool.run({ module, job: 'exportJob', params: { rootfs }, output: write, signal }),
      );
      containers.publish(record, 'export');
    },

    async changes(idOrName, signal) {
      const record = containers.get(idOrName);
      return listChanges({ snapshots, key: record.snapshotKey, signal });
    },

    async close() {
      await pool.close();
      log.debug({}, 'archive room closed');
    },
  };
}

/** A running container is seen through its process, unless that ends first; then, and otherwise, as it lies on disk. */
async function withView<T>(
  deps: ArchiveDeps,
  record: ContainerRecord,
  work: (view: ContainerView) => Promise<T>,
): Promise<T> {
  const { pid } = record.state;
  if (pid > 0) {
    try {
      return await work({ kind: 'running', pid, ids: record.userNamespace });
    } catch (error) {
      if (!hasErrno(error, 'ESRCH', 'ENOENT') || deps.containers.get(record.id).state.pid === pid) throw error;
    }
  }
  return deps.containers.withRootfs(record.id, async (rootfs) => {
    try {
      return await work({ kind: 'stopped', rootfs, mounts: await stoppedMounts(deps, record, rootfs) });
    } finally {
      await releaseVolumes(deps, record);
    }
  });
}

/** What would be mounted into a stopped container: volumes and binds, and the files the network room wrote for it. */
async function stoppedMounts(deps: ArchiveDeps, record: ContainerRecord, rootfs: string): Promise<ViewMount[]> {
  const mounts: ViewMount[] = [];
  for (const { type, source, destination, options } of await deps.volumes.runtimeMounts(record, {
    userOf: async (user) => userIn(rootfs, user),
  })) {
    if (type !== 'bind') continue;
    mounts.push({
      source,
      destination,
      readOnly: options.includes('ro') || options.includes('rro'),
      recursive: options.includes('rbind'),
    });
  }
  for (const name of ['hostname', 'hosts', 'resolv.conf']) {
    const source = join(deps.dataRoot, 'containers', record.id, name);
    const destination = `/etc/${name}`;
    if (mounts.some((mount) => mount.destination === destination) || !existsSync(source)) continue;
    mounts.push({ source, destination, readOnly: false, recursive: false });
  }
  return mounts;
}

/** Gives the volumes back, unless the container was started meanwhile and has its own claim on them. */
async function releaseVolumes(deps: ArchiveDeps, record: ContainerRecord): Promise<void> {
  try {
    if (deps.containers.get(record.id).state.pid === 0) await deps.volumes.unmount(record);
  } catch (error) {
    deps.log.warn({ container: record.id, error: messageOf(error) }, 'cannot give volumes back after a copy');
  }
}
