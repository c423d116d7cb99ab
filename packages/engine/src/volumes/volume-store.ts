import type { Clock, Filters, Logger } from '@wharf/kit';
import { formatRfc3339Nano, isKind, KeyedLock, messageOf, newId, WharfError } from '@wharf/kit';
import type { Store } from '@wharf/store';
import * as messages from '@wharf/wire/docker/messages';
import type { Volume } from '@wharf/wire/docker/types';
import type { PluginDirectory } from '@wharf/wire/plugins/directory';
import type { EventBus } from '../events/event-bus.ts';
import { checkDriverOptions, isNetworkMount } from './driver-options.ts';
import { Drivers } from './drivers.ts';
import { inWords } from './in-words.ts';
import { LocalDriver } from './local-driver.ts';
import { ANONYMOUS_LABEL, checkVolumeName, LOCAL_DRIVER, type VolumeRecord } from './volume.ts';
import { VolumeBooks } from './volume-books.ts';
import { lookAt, withPlugins } from './volume-looks.ts';
import { listFilter, pruneFilter, toVolume } from './volume-view.ts';
import { VolumeWorker } from './worker-client.ts';

export interface VolumeStoreOptions {
  readonly store: Store;
  readonly volumesDir: string;
  readonly events: EventBus;
  readonly log: Logger;
  readonly clock: Clock;
  /** Where volume plugins are found; without it there are none. */
  readonly plugins?: PluginDirectory | undefined;
}

export interface CreateVolumeOptions {
  /** A random one when empty; the volume is then anonymous. */
  readonly name?: string | undefined;
  readonly driver?: string | undefined;
  readonly options?: Readonly<Record<string, string>> | null | undefined;
  readonly labels?: Readonly<Record<string, string>> | null | undefined;
}

/**
 * The volumes themselves: the verbs behind `docker volume`.
 *
 * Lock order: a volume's lock, alone. Its holders are read and changed without waiting in between.
 */
export class VolumeStore {
  readonly books: VolumeBooks;
  readonly drivers: Drivers;
  /** Where local volumes live. */
  readonly local: LocalDriver;
  readonly worker = new VolumeWorker();
  readonly locks = new KeyedLock();
  readonly #store: Store;
  readonly #events: EventBus;
  readonly #log: Logger;
  readonly #clock: Clock;
  #pruning = false;

  constructor(options: VolumeStoreOptions) {
    this.#store = options.store;
    this.#events = options.events;
    this.#log = options.log;
    this.#clock = options.clock;
    this.books = new VolumeBooks(options.store, options.clock);
    this.local = new LocalDriver(options.volumesDir, this.worker);
    this.drivers = new Drivers(this.local, options.plugins);
  }

  /** For `info`. */
  driverNames(): readonly string[] {
    return this.drivers.names();
  }

  /** Throws `not-found` (`get x: no such volume`). */
  record(name: string): VolumeRecord {
    return this.books.record(name);
  }

  /** A volume as the books have it. Throws `not-found`. */
  inspect(name: string): Volume {
    return this.#view(this.record(name));
  }

  /** A volume as its driver has it; one that only a plugin knows too. Throws `not-found`. */
  look(name: string): Promise<Volume> {
    const record = this.books.volumes.get(name);
    return record?.driver === LOCAL_DRIVER ? Promise.resolve(this.#view(record)) : lookAt(this.drivers, name, record);
  }

  /** The volumes of the books that the filters select. Throws `invalid-argument` for unknown filters. */
  list(filters: Filters): readonly Volume[] {
    const matches = listFilter(filters);
    return this.#records()
      .filter((record) => matches(record, this.books.holders(record.name).length > 0))
      .map((record) => this.#view(record));
  }

  /** As `list`, with what plugins have; those that do not answer become warnings. */
  listAll(filters: Filters): Promise<{ readonly volumes: readonly Volume[]; readonly warnings: readonly string[] }> {
    return withPlugins(this.list(filters), { books: this.books, drivers: this.drivers, matches: listFilter(filters) });
  }

  /** Makes a volume; one of that name that is there already is the answer, whatever its labels and options. */
  async create(wanted: CreateVolumeOptions): Promise<Volume> {
    const record = await this.ensure(wanted, () => {});
    await this.#store.committed();
    return record.driver === LOCAL_DRIVER ? this.#view(record) : this.look(record.name);
  }

  /** As `create`, not waiting for the disk; `hold` runs while nobody can remove the volume. */
  async ensure(wanted: CreateVolumeOptions, hold: (record: VolumeRecord) => void): Promise<VolumeRecord> {
    const anonymous = (wanted.name ?? '') === '';
    const name = wanted.name || newId();
    return this.locks.run(name, async () => {
      const record = await this.#presentOrMade(name, wanted, anonymous);
      hold(record);
      return record;
    });
  }

  /** Throws `not-found`, `conflict` while containers hold it. With `force` a missing volume is no error. */
  async remove(name: string, options: { readonly force: boolean } = { force: false }): Promise<void> {
    const bury = await this.locks.run(name, async () => {
      const record = this.books.volumes.get(name);
      if (record === undefined) {
        if (await this.#removeFromPlugin(name)) return undefined;
        if (options.force) return undefined;
        throw new WharfError('not-found', messages.noSuchVolume(name));
      }
      const holders = this.books.holders(name);
      if (holders.length > 0) throw new WharfError('conflict', messages.volumeInUse(name, holders));
      const deletion = await inWords('remove', name, async () => (await this.drivers.get(record.driver)).remove(name));
      this.books.volumes.delete(name);
      await this.#store.committed();
      this.#events.publish({ type: 'volume', action: 'destroy', actorId: name, attributes: { driver: record.driver } });
      return deletion;
    });
    await bury?.();
  }

  /** Gives a local volume another name. Throws `not-found`; `conflict` while somebody holds it, or when the name is taken. */
  async rename(name: string, to: string): Promise<void> {
    await this.locks.run(name, async () => {
      const record = this.books.record(name);
      const holders = this.books.holders(name);
      if (holders.length > 0) throw new WharfError('conflict', messages.volumeInUse(name, holders));
      if (record.driver !== LOCAL_DRIVER) {
        throw new WharfError(
          'invalid-argument',
          `Cannot rename volume "${name}": driver ${record.driver} keeps its name`,
        );
      }
      if (this.books.volumes.get(to) !== undefined || (await this.local.get(to)) !== undefined) {
        throw new WharfError('conflict', `Cannot rename volume "${name}" to "${to}": there is one of that name`);
      }
      using _ = this.books.hold(name, to);
      // On disk before the directory moves, so that a crash finds out where to.
      this.books.volumes.put(to, { ...record, name: to, renamedFrom: name });
      await this.#store.committed();
      await this.#finishRename(name, to);
    });
  }

  async #finishRename(from: string, to: string): Promise<void> {
    await this.local.rename(from, to);
    const { renamedFrom: _, ...record } = this.books.record(to);
    this.books.volumes.put(to, record);
    this.books.volumes.delete(from);
    await this.#store.committed();
    this.#events.publish({ type: 'volume', action: 'rename', actorId: to, attributes: { driver: LOCAL_DRIVER, from } });
  }

  /** Removes what nobody holds and the filters select. Throws `conflict` while another prune runs. */
  async prune(
    filters: Filters,
  ): Promise<{ readonly deleted: readonly string[]; readonly spaceReclaimedBytes: number }> {
    const matches = pruneFilter(filters, ANONYMOUS_LABEL);
    if (this.#pruning) throw new WharfError('conflict', messages.pruneRunning);
    this.#pruning = true;
    const deleted: string[] = [];
    let spaceReclaimedBytes = 0;
    try {
      for (const record of this.#records()) {
        if (!matches(record) || this.books.holders(record.name).length > 0) continue;
        const size = await this.#sizeOf(record);
        if (!(await this.removeUnlessHeld(record.name))) continue;
        deleted.push(record.name);
        spaceReclaimedBytes += Math.max(0, size);
      }
    } finally {
      this.#pruning = false;
    }
    const attributes = { reclaimed: String(spaceReclaimedBytes) };
    this.#events.publish({ type: 'volume', action: 'prune', actorId: '', attributes });
    return { deleted, spaceReclaimedBytes };
  }

  /** Removes a volume nobody holds; false when somebody does, or it is gone. */
  async removeUnlessHeld(name: string): Promise<boolean> {
    try {
      await this.remove(name);
      return true;
    } catch (error) {
      if (!isKind(error, 'conflict') && !isKind(error, 'not-found')) {
        this.#log.warn({ volume: name, err: messageOf(error) }, 'a volume could not be removed');
      }
      return false;
    }
  }

  /** Every local volume with its bytes on disk and the number of containers that hold it; those with devices are left out. */
  async usage(): Promise<readonly Volume[]> {
    const volumes: Volume[] = [];
    for (const record of this.#records()) {
      if (record.driver !== LOCAL_DRIVER || Object.keys(record.options ?? {}).length > 0) continue;
      const UsageData = { Size: await this.#sizeOf(record), RefCount: this.books.holders(record.name).length };
      volumes.push({ ...this.#view(record), UsageData });
    }
    return volumes;
  }

  /** After a start: makes books and directories agree. Data without a record is kept and becomes a volume again. */
  async recover(): Promise<void> {
    await this.#recoverHalfDone();
    const found = new Set(await this.local.recover());
    for (const name of found) {
      if (this.books.volumes.get(name) !== undefined) continue;
      this.#log.warn({ volume: name }, 'a volume without a record was found and taken in');
      this.#put({ name, driver: LOCAL_DRIVER, createdAt: this.#now(), labels: null, options: null });
    }
    for (const { name, driver } of this.#records()) {
      if (driver === LOCAL_DRIVER && !found.has(name)) await this.local.make(name);
    }
    await this.#store.committed();
  }

  /** Ends renamings that a crash cut short, and removes volumes that it left half filled. */
  async #recoverHalfDone(): Promise<void> {
    for (const { name, renamedFrom, unfinished } of this.#records()) {
      if (renamedFrom !== undefined) await this.#finishRename(renamedFrom, name);
      if (unfinished !== true) continue;
      this.#log.warn({ volume: name }, 'a volume that was being made is removed');
      await (await this.local.remove(name))();
      this.books.volumes.delete(name);
    }
  }

  /** A volume that only a plugin knows of. */
  async #removeFromPlugin(name: string): Promise<boolean> {
    const found = await this.drivers.findInPlugins(name);
    if (found === undefined) return false;
    await inWords('remove', name, async () => (await this.drivers.get(found.driver)).remove(name));
    this.#events.publish({ type: 'volume', action: 'destroy', actorId: name, attributes: { driver: found.driver } });
    return true;
  }

  #records(): readonly VolumeRecord[] {
    return this.books.volumes.list().map(({ value }) => value);
  }

  /** Throws `conflict` when a volume of another driver has the name. */
  async #presentOrMade(name: string, wanted: CreateVolumeOptions, anonymous: boolean): Promise<VolumeRecord> {
    const present = this.books.volumes.get(name);
    const driver = wanted.driver || present?.driver || '';
    if (present !== undefined && present.driver !== driver) {
      throw new WharfError('conflict', messages.volumeNameTaken(name, present.driver));
    }
    if (present !== undefined && driver === LOCAL_DRIVER) return present;
    if (driver === '' && !anonymous) {
      const found = await this.drivers.findInPlugins(name);
      if (found !== undefined) return this.#adopt(name, found.driver);
    }
    if (present !== undefined && (await this.#isStillThere(present))) return present;
    return this.#make(name, { ...wanted, driver: driver || LOCAL_DRIVER }, anonymous);
  }

  /** A plugin's volume may have been removed behind our back. */
  async #isStillThere({ name, driver }: VolumeRecord): Promise<boolean> {
    const plugin = await inWords('create', name, () => this.drivers.get(driver));
    return (await plugin.get(name).catch(() => undefined)) !== undefined;
  }

  #adopt(name: string, driver: string): VolumeRecord {
    const record = { name, driver, createdAt: this.#now(), labels: null, options: null };
    this.#put(record);
    return record;
  }

  async #make(
    name: string,
    wanted: CreateVolumeOptions & { readonly driver: string },
    anonymous: boolean,
  ): Promise<VolumeRecord> {
    const options = wanted.options ?? null;
    if (wanted.driver === LOCAL_DRIVER) checkVolumeName(name);
    const labels = anonymous ? { ...wanted.labels, [ANONYMOUS_LABEL]: '' } : (wanted.labels ?? null);
    const record = { name, driver: wanted.driver, createdAt: this.#now(), labels, options };
    await inWords('create', name, async () => {
      if (wanted.driver === LOCAL_DRIVER && options !== null) checkDriverOptions(options);
      await (await this.drivers.get(wanted.driver)).create(name, options);
    });
    this.#put(record);
    this.#events.publish({ type: 'volume', action: 'create', actorId: name, attributes: { driver: wanted.driver } });
    return record;
  }

  #put(record: VolumeRecord): void {
    this.books.volumes.put(record.name, record);
  }

  async #sizeOf(record: VolumeRecord): Promise<number> {
    // What lies on a server takes nothing of this disk, and asking may take for ever.
    if (isNetworkMount(record.options)) return -1;
    try {
      return await this.local.usage(record.name);
    } catch (error) {
      this.#log.warn({ volume: record.name, err: messageOf(error) }, 'the size of a volume could not be determined');
      return -1;
    }
  }

  #view(record: VolumeRecord): Volume {
    return toVolume(record, record.driver === LOCAL_DRIVER ? this.local.dataPath(record.name) : '');
  }

  #now(): string {
    return formatRfc3339Nano(this.#clock.nowNs()).replace(/\.\d+Z$/, 'Z');
  }
}
