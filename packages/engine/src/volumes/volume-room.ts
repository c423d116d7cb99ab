import { closeSync } from 'node:fs';
import type { ContainerId } from '@wharf/kit';
import { isKind, messageOf, WharfError } from '@wharf/kit';
import type { HostConfig, MountPoint } from '@wharf/wire/docker/types';
import type { ContainerRecord } from '../containers/container.ts';
import type { EventBus } from '../events/event-bus.ts';
import { Attachments } from './attachments.ts';
import { realPathOf } from './bind-source.ts';
import { VolumeCopies } from './copies.ts';
import { openInRoot } from './copy-tree.ts';
import { guardDaemonRoot } from './daemon-root.ts';
import { needsMount } from './driver-options.ts';
import { VolumeFiller } from './fill.ts';
import { type ImageMountSources, ImageMounts, type MountedImage, placeName } from './image-mounts.ts';
import { factsOf, MountSources } from './mount-sources.ts';
import { collectMounts, type Wanted } from './plan.ts';
import type { PlannedMount, RequestedMount } from './planned-mount.ts';
import { type SourcedMount, toRuntimeMounts } from './runtime-mounts.ts';
import { Subpaths } from './subpath.ts';
import { LOCAL_DRIVER } from './volume.ts';
import type { MountContext, RuntimeMount, VolumeService } from './volume-service.ts';
import { VolumeStore, type VolumeStoreOptions } from './volume-store.ts';

/** Volumes and what containers do with them. */
export class Volumes extends VolumeStore implements VolumeService {
  readonly #events: EventBus;
  readonly #subpaths: Subpaths;
  readonly #images: ImageMounts;
  readonly #dataRoot: string;
  readonly #durable: () => Promise<void>;
  readonly #attachments: Attachments;
  readonly #filler: VolumeFiller;
  readonly #sources: MountSources;
  /** Archives, copies and new names of volumes. */
  readonly copies: VolumeCopies;

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
    this.#attachments = new Attachments(this.drivers, options.log);
    const shared = { books: this.books, attachments: this.#attachments, subpaths: this.#subpaths };
    this.copies = new VolumeCopies({ store: this, attachments: this.#attachments, durable: this.#durable });
    this.#filler = new VolumeFiller({ ...shared, worker: this.worker, durable: this.#durable });
    this.#sources = new MountSources({ ...shared, local: this.local, images: this.#images, events: this.#events });
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
      const fd = openInRoot(rootfs, path);
      if (fd === undefined) continue;
      const from = { fd, rootfs, path };
      try {
        await this.locks.run(name, () =>
          subpath === undefined
            ? this.#filler.fill(this.record(name), from)
            : this.#filler.fillPart(this.record(name), from, { containerId: record.id, subpath }),
        );
      } finally {
        closeSync(fd);
      }
    }
  }

  async runtimeMounts(record: ContainerRecord, context: MountContext = {}): Promise<readonly RuntimeMount[]> {
    const sourced: SourcedMount[] = [];
    this.#subpaths.release(record.id);
    try {
      for (const mount of this.#mountsOf(record)) {
        const source = await this.#sources.find(record, mount, context);
        sourced.push({ mount, source, ...(mount.point.Type === 'tmpfs' ? {} : await factsOf(source)) });
      }
      return toRuntimeMounts(sourced, record.hostConfig);
    } catch (error) {
      await this.unmount(record);
      throw error;
    }
  }

  mountsTaken(record: Pick<ContainerRecord, 'id'>): void {
    this.#subpaths.release(record.id);
  }

  async unmount(record: Pick<ContainerRecord, 'id'>): Promise<void> {
    this.#subpaths.release(record.id);
    for (const { name, driver } of this.#attachments.of(record.id)) {
      await this.#attachments.detach(name, record.id);
      const attributes = { container: record.id, driver };
      this.#events.publish({ type: 'volume', action: 'unmount', actorId: name, attributes });
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
      for (const { point } of this.#mountsOf(record)) {
        const volume = point.Type === 'volume' ? this.books.volumes.get(point.Name ?? '') : undefined;
        if (volume !== undefined) this.#attachments.adopt(volume, record.id);
      }
    }
    for (const id of this.#subpaths.holders()) this.#subpaths.release(id);
    await this.#images.restore((id) => known.has(id));
    for (const { key, value } of this.books.volumes.list()) {
      if (value.driver !== LOCAL_DRIVER || !needsMount(value.options) || this.#attachments.isUsed(key)) continue;
      await this.local.unmount(key, '', true);
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
      const resolved = request.type === 'bind' ? realPathOf(request.source) : undefined;
      const planned = toPlanned(request, { Source: request.source });
      hold(resolved === undefined || resolved === request.source ? planned : { ...planned, resolved });
      return;
    }
    const { source: name, driver, driverOptions: options, labels } = request;
    const made = await this.ensure({ name, driver, options, labels }, (volume) => {
      const Source = volume.driver === LOCAL_DRIVER ? this.local.dataPath(volume.name) : '';
      hold(toPlanned(request, { Name: volume.name, Source, Driver: volume.driver }));
    });
    if (made.driver === LOCAL_DRIVER) return;
    // What `inspect` shows of a plugin's volume; where it is in truth, the plugin says at each start.
    const Source = (await this.look(made.name).catch(() => undefined))?.Mountpoint ?? '';
    const last = mounts.pop();
    if (last !== undefined) hold({ ...last, point: { ...last.point, Source } });
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
  const { anonymous, copyUp, createSource, bind, tmpfs, subpath, idMapping } = request;
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
    ...(idMapping === undefined ? {} : { idMapping }),
  };
}

/** What can be said of a mount of which only the record's part is left. */
function bareMount(point: MountPoint): PlannedMount {
  return { point, anonymous: false, copyUp: point.Type === 'volume', createSource: false };
}
