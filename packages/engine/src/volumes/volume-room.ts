import { closeSync, mkdirSync, statSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerId } from '@wharf/kit';
import { hasErrno, isKind, messageOf, WharfError } from '@wharf/kit';
import type { HostConfig, MountPoint } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import type { EventBus } from '../events/event-bus.ts';
import { copyTree, isEmptyDirectory, openDirectory, openInRoot } from './copy-tree.ts';
import { guardDaemonRoot } from './daemon-root.ts';
import { needsMount } from './driver-options.ts';
import { type ImageMountSources, ImageMounts, type MountedImage, placeName } from './image-mounts.ts';
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
  readonly #images: ImageMounts;
  readonly #dataRoot: string;
  readonly #durable: () => Promise<void>;
  /** The containers whose processes have a volume mounted now, by volume. */
  readonly #active = new Map<string, Set<string>>();

  constructor(
    options: VolumeStoreOptions & {
      readonly dataRoot: string;
      readonly pinsDir: string;
      readonly imageMounts?: ImageMountSources | undefined;
    },
  ) {
    super(options);
    this.#dataRoot = options.dataRoot;
    this.#images = new ImageMounts(options.imageMounts);
    this.#events = options.events;
    this.#subpaths = new Subpaths(options.pinsDir);
    this.#durable = () => options.store.committed();
  }

  async plan(options: {
    readonly containerId: ContainerId;
    readonly hostConfig: HostConfig;
    readonly imageVolumes: readonly string[];
    readonly lookUp: (idOrName: string) => ContainerRecord;
    readonly shallowReadOnly?: boolean | undefined;
  }): Promise<readonly MountPoint[]> {
    const { containerId, hostConfig, imageVolumes, lookUp, shallowReadOnly } = options;
    const mountsOf = (container: string) => this.#mountsOf(donor(container, lookUp));
    const wanted = collectMounts({ hostConfig, imageVolumes, mountsOf, shallowReadOnly });
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
      if (!copyUp || point.Type !== 'volume' || point.Name === undefined) continue;
      const { Name: name, Destination: path } = point;
      const source = openInRoot(rootfs, path);
      if (source === undefined) continue;
      const from = { source, rootfs, path };
      try {
        await this.locks.run(name, () =>
          subpath === undefined
            ? this.#populate(this.record(name), from)
            : this.#populatePart(this.record(name), from, { containerId: record.id, subpath }),
        );
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
        const source = await this.#source(record.id, mount);
        sourced.push({ mount, source, isFile: mount.point.Type !== 'tmpfs' && (await isFile(source)) });
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
    await this.#images.release(record.id);
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
    await this.#images.restore((id) => known.has(id));
    for (const { key, value } of this.books.volumes.list()) {
      if (needsMount(value.options) && !this.#active.has(key)) this.driver.unmount(key);
    }
    await this.#durable();
  }

  /** The images that containers have mounted. */
  imageUses(): readonly { readonly containerId: string; readonly image: MountedImage; readonly reference: string }[] {
    return this.books
      .users()
      .flatMap((containerId) =>
        (this.books.mountsOf(containerId) ?? []).flatMap(({ image, point }) =>
          image === undefined ? [] : [{ containerId, image, reference: point.Name ?? '' }],
        ),
      );
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
      const { image, point } = item.mount;
      if (image === undefined) hold(item.mount);
      else
        hold({
          ...item.mount,
          image: await this.#images.share(image, { containerId, destination: point.Destination }),
        });
      return;
    }
    const request = guardDaemonRoot(item.request, this.#dataRoot);
    if (request.type === 'image') {
      const { source: reference, destination } = request;
      const image = await this.#images.hold({ containerId, destination, reference });
      const place = this.#subpaths.place(containerId, placeName(destination));
      hold({ ...toPlanned(request, { Name: reference, Source: place }), image });
      return;
    }
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

  /** As `#populate`, for a directory inside a volume: one that is not there, or not a directory, is nothing to fill. */
  async #populatePart(
    volume: VolumeRecord,
    from: { source: number; rootfs: string; path: string },
    part: { readonly containerId: string; readonly subpath: string },
  ): Promise<void> {
    const inUse = this.#active.has(volume.name);
    await this.driver.mount(volume);
    try {
      const target = this.#subpaths.pin(part.containerId, this.driver.dataPath(volume.name), part.subpath);
      if (!statSync(target).isDirectory() || (await readdir(target)).length > 0) return;
      if (isEmptyDirectory(from.source)) copyStatus(from.source, target);
      else await this.worker.run({ kind: 'populate', rootfs: from.rootfs, path: from.path, target });
    } catch (cause) {
      if (isKind(cause, 'not-found')) return;
      const kind = cause instanceof WharfError ? cause.kind : 'internal';
      throw new WharfError(kind, `failed to populate volume: ${messageOf(cause)}`, { cause });
    } finally {
      this.#subpaths.release(part.containerId);
      if (!inUse) this.driver.unmount(volume.name);
    }
  }

  #imageSource(containerId: string, { point, subpath }: PlannedMount, image: MountedImage): string {
    const place = this.#subpaths.place(containerId, placeName(point.Destination));
    mkdirSync(place, { recursive: true, mode: 0o700 });
    this.#images.mount(image, place);
    return subpath === undefined ? place : this.#subpaths.pin(containerId, place, subpath);
  }

  /** The host path of a mount, made or mounted where that is our part. */
  async #source(containerId: string, mount: PlannedMount): Promise<string> {
    const { point, subpath } = mount;
    if (mount.image !== undefined) return this.#imageSource(containerId, mount, mount.image);
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

/** The container that `--volumes-from` names. Throws `invalid-argument` when there is none. */
function donor(name: string, lookUp: (idOrName: string) => ContainerRecord): ContainerRecord {
  try {
    return lookUp(name);
  } catch (error) {
    if (!isKind(error, 'not-found')) throw error;
    throw new WharfError('invalid-argument', messageOf(error), { cause: error });
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

/** False for what is not there too: the runtime says so better. */
async function isFile(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isDirectory();
  } catch {
    return false;
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
