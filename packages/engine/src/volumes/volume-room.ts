import { closeSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerId } from '@wharf/kit';
import { hasErrno, messageOf, WharfError } from '@wharf/kit';
import type { HostConfig, MountPoint } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import type { EventBus } from '../events/event-bus.ts';
import { copyTree, isEmptyDirectory, openDirectory, openInRoot } from './copy-tree.ts';
import { needsMount } from './driver-options.ts';
import { collectMounts, type Wanted } from './plan.ts';
import type { PlannedMount, RequestedMount } from './planned-mount.ts';
import { type SourcedMount, toRuntimeMounts } from './runtime-mounts.ts';
import { Subpaths } from './subpath.ts';
import { LOCAL_DRIVER, type VolumeRecord } from './volume.ts';
import type { RuntimeMount, VolumeService } from './volume-service.ts';
import { VolumeStore, type VolumeStoreOptions } from './volume-store.ts';

/** Volumes and what containers do with them. */
export class Volumes extends VolumeStore implements VolumeService {
  readonly #events: EventBus;
  readonly #subpaths: Subpaths;
  readonly #durable: () => Promise<void>;
  /** The containers whose processes have a volume mounted now, by volume. */
  readonly #active = new Map<string, Set<string>>();

  constructor(options: VolumeStoreOptions & { readonly pinsDir: string }) {
    super(options);
    this.#events = options.events;
    this.#subpaths = new Subpaths(options.pinsDir);
    this.#durable = () => options.store.committed();
  }

  async plan(options: {
    readonly containerId: ContainerId;
    readonly hostConfig: HostConfig;
    readonly imageVolumes: readonly string[];
    readonly lookUp: (idOrName: string) => ContainerRecord;
  }): Promise<readonly MountPoint[]> {
    const { containerId, hostConfig, imageVolumes, lookUp } = options;
    const mountsOf = (container: string) => this.#mountsOf(lookUp(container));
    const wanted = collectMounts({ hostConfig, imageVolumes, mountsOf });
    if (wanted.length === 0) return [];
    const mounts: PlannedMount[] = [];
    try {
      for (const item of wanted) await this.#add(containerId, mounts, item);
    } catch (error) {
      await this.release({ id: containerId, mounts: [] }, { removeAnonymous: true });
      throw error;
    }
    return mounts.map(({ point }) => point);
  }

  async acquire(record: ContainerRecord): Promise<void> {
    this.books.acquire(record.id, record.mounts.map(bareMount));
    await this.#durable();
  }

  async populate(record: ContainerRecord, rootfs: string): Promise<void> {
    for (const { point, copyUp, subpath } of this.#mountsOf(record)) {
      if (!copyUp || point.Type !== 'volume' || point.Name === undefined || subpath !== undefined) continue;
      const { Name: name, Destination: path } = point;
      const source = openInRoot(rootfs, path);
      if (source === undefined) continue;
      try {
        await this.locks.run(name, () => this.#populate(this.record(name), { source, rootfs, path }));
      } finally {
        closeSync(source);
      }
    }
  }

  async runtimeMounts(record: ContainerRecord): Promise<readonly RuntimeMount[]> {
    const sourced: SourcedMount[] = [];
    this.#subpaths.release(record.id);
    try {
      for (const mount of this.#mountsOf(record)) {
        sourced.push({ mount, source: await this.#source(record.id, mount) });
      }
      return toRuntimeMounts(sourced, record.hostConfig);
    } catch (error) {
      await this.unmount(record);
      throw error;
    }
  }

  async unmount(record: Pick<ContainerRecord, 'id'>): Promise<void> {
    this.#subpaths.release(record.id);
    for (const [name, users] of this.#active) {
      if (!users.delete(record.id)) continue;
      const attributes = { container: record.id, driver: LOCAL_DRIVER };
      this.#events.publish({ type: 'volume', action: 'unmount', actorId: name, attributes });
      if (users.size > 0) continue;
      this.#active.delete(name);
      this.driver.unmount(name);
    }
  }

  async release(
    record: Pick<ContainerRecord, 'id' | 'mounts'>,
    options: { readonly removeAnonymous: boolean },
  ): Promise<void> {
    await this.unmount(record);
    const mounts = this.books.forget(record.id);
    if (mounts.length === 0) return;
    if (options.removeAnonymous) {
      for (const { point, anonymous } of mounts) {
        if (anonymous && point.Name !== undefined) await this.removeUnlessHeld(point.Name);
      }
    }
    await this.#durable();
  }

  async restore(records: readonly ContainerRecord[]): Promise<void> {
    const known = new Map(records.map((record) => [record.id as string, record]));
    for (const id of this.books.users()) if (!known.has(id)) this.books.forget(id);
    const running = records.filter(({ state }) => state.pid > 0);
    for (const record of running) {
      for (const { point } of this.#mountsOf(record)) if (point.Name !== undefined) this.#use(point.Name, record.id);
    }
    const live = new Set<string>(running.map(({ id }) => id));
    for (const id of this.#subpaths.holders()) if (!live.has(id)) this.#subpaths.release(id);
    for (const { key, value } of this.books.volumes.list()) {
      if (needsMount(value.options) && !this.#active.has(key)) this.driver.unmount(key);
    }
    await this.#durable();
  }

  /** Ends the worker thread. */
  close(): void {
    this.worker.close();
  }

  #mountsOf(record: Pick<ContainerRecord, 'id' | 'mounts'>): readonly PlannedMount[] {
    return this.books.mountsOf(record.id) ?? record.mounts.map(bareMount);
  }

  /** Adds one mount to a growing plan, with its volume made and held. */
  async #add(containerId: ContainerId, mounts: PlannedMount[], item: Wanted): Promise<void> {
    const hold = (mount: PlannedMount) => {
      mounts.push(mount);
      this.books.plan(containerId, mounts);
    };
    if (item.kind === 'inherited') {
      hold(item.mount);
      return;
    }
    const { request } = item;
    if (request.type !== 'volume') {
      hold(toPlanned(request, { Source: request.source }));
      return;
    }
    const { source: name, driver, driverOptions: options, labels } = request;
    await this.ensure({ name, driver, options, labels }, (volume) =>
      hold(
        toPlanned(request, {
          Name: volume.name,
          Source: this.driver.dataPath(volume.name),
          Driver: volume.driver,
        }),
      ),
    );
  }

  async #populate(volume: VolumeRecord, from: { source: number; rootfs: string; path: string }): Promise<void> {
    const target = this.driver.dataPath(volume.name);
    const inUse = this.#active.has(volume.name);
    await this.driver.mount(volume);
    try {
      if (volume.populating === true && !inUse) await clear(target);
      else if ((await readdir(target)).length > 0) return;
      if (isEmptyDirectory(from.source)) {
        copyStatus(from.source, target);
        return;
      }
      this.books.volumes.put(volume.name, { ...volume, populating: true });
      await this.#durable();
      await this.worker.run({ kind: 'populate', rootfs: from.rootfs, path: from.path, target });
      this.books.volumes.put(volume.name, { ...volume, populating: undefined });
    } catch (cause) {
      if (!inUse) await clear(target);
      throw new WharfError('internal', `failed to populate volume: ${messageOf(cause)}`, { cause });
    } finally {
      if (!inUse) this.driver.unmount(volume.name);
    }
  }

  /** The host path of a mount, made or mounted where that is our part. */
  async #source(containerId: string, mount: PlannedMount): Promise<string> {
    const { point, subpath } = mount;
    if (point.Type === 'bind') {
      if (mount.createSource) await makeSource(point.Source);
      return point.Source;
    }
    if (point.Type !== 'volume' || point.Name === undefined) return point.Source;
    const volume = this.record(point.Name);
    await this.driver.make(volume.name);
    await this.driver.mount(volume);
    this.#use(volume.name, containerId);
    this.#events.publish({
      type: 'volume',
      action: 'mount',
      actorId: volume.name,
      attributes: {
        container: containerId,
        destination: point.Destination,
        driver: volume.driver,
        propagation: point.Propagation,
        'read/write': String(point.RW),
      },
    });
    const path = this.driver.dataPath(volume.name);
    return subpath === undefined ? path : this.#subpaths.pin(containerId, path, subpath);
  }

  #use(name: string, containerId: string): void {
    const users = this.#active.get(name) ?? new Set();
    users.add(containerId);
    this.#active.set(name, users);
  }
}

function toPlanned(request: RequestedMount, point: Pick<MountPoint, 'Source'> & Partial<MountPoint>): PlannedMount {
  const { anonymous, copyUp, createSource, bind, tmpfs, subpath } = request;
  return {
    point: {
      Type: request.type,
      Destination: request.destination,
      Mode: request.mode,
      RW: !request.readOnly,
      Propagation: request.propagation,
      ...point,
    },
    anonymous,
    copyUp,
    createSource,
    ...(bind === undefined ? {} : { bind }),
    ...(tmpfs === undefined ? {} : { tmpfs }),
    ...(subpath === undefined ? {} : { subpath }),
  };
}

/** What can be said of a mount of which only the record's part is left. */
function bareMount(point: MountPoint): PlannedMount {
  return { point, anonymous: false, copyUp: point.Type === 'volume', createSource: false };
}

/** An empty directory still gives the volume its owner, mode and times. */
function copyStatus(source: number, target: string): void {
  const fd = openDirectory(target);
  try {
    copyTree(source, fd);
  } finally {
    closeSync(fd);
  }
}

async function clear(directory: string): Promise<void> {
  for (const name of await readdir(directory)) await rm(join(directory, name), { recursive: true, force: true });
}

/** Makes the missing source of a `-v`, as a directory; a file or anything else that is there stays. */
async function makeSource(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o755 });
  } catch (cause) {
    if (hasErrno(cause, 'EEXIST', 'ENOTDIR')) return;
    throw new WharfError('invalid-argument', `error while creating mount source path '${path}': ${messageOf(cause)}`, {
      cause,
    });
  }
}
