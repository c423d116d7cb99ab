import type { Clock, Filters, Logger } from '@wharf/kit';
import { formatRfc3339Nano, isKind, KeyedLock, messageOf, newId, WharfError } from '@wharf/kit';
import type { Store } from '@wharf/store';
import * as messages from '@wharf/wire/docker/messages';
import type { Volume } from '@wharf/wire/docker/types';
import type { EventBus } from '../events/event-bus.ts';
import { checkDriverOptions } from './driver-options.ts';
import { LocalDriver } from './local-driver.ts';
import { ANONYMOUS_LABEL, checkVolumeName, LOCAL_DRIVER, type VolumeRecord } from './volume.ts';
import { VolumeBooks } from './volume-books.ts';
import { listFilter, pruneFilter, toVolume } from './volume-view.ts';
import { VolumeWorker } from './worker-client.ts';

export interface VolumeStoreOptions {
  readonly store: Store;
  readonly volumesDir: string;
  readonly events: EventBus;
  readonly log: Logger;
  readonly clock: Clock;
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
  readonly driver: LocalDriver;
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
    this.driver = new LocalDriver(options.volumesDir, this.worker);
  }

  /** Throws `not-found` (`get x: no such volume`). */
  record(name: string): VolumeRecord {
    const record = this.books.volumes.get(name);
    if (record === undefined) throw new WharfError('not-found', messages.noSuchVolume(name));
    return record;
  }

  /** Throws `not-found`. */
  inspect(name: string): Volume {
    return this.#view(this.record(name));
  }

  /** Throws `invalid-argument` for unknown filters. */
  list(filters: Filters): readonly Volume[] {
    const matches = listFilter(filters);
    return this.#records()
      .filter((record) => matches(record, this.books.holders(record.name).length > 0))
      .map((record) => this.#view(record));
  }

  /** Makes a volume; one of that name that is there already is the answer, whatever its labels and options. */
  async create(wanted: CreateVolumeOptions): Promise<Volume> {
    const record = await this.ensure(wanted, () => {});
    await this.#store.committed();
    return this.#view(record);
  }

  /** As `create`, not waiting for the disk; `hold` runs while nobody can remove the volume. */
  async ensure(wanted: CreateVolumeOptions, hold: (record: VolumeRecord) => void): Promise<VolumeRecord> {
    const anonymous = (wanted.name ?? '') === '';
    const name = wanted.name || newId();
    const driver = wanted.driver || LOCAL_DRIVER;
    return this.locks.run(name, async () => {
      const present = this.books.volumes.get(name);
      if (driver !== LOCAL_DRIVER) {
        if (present === undefined) throw new WharfError('not-found', messages.volumePluginNotFound(name, driver));
        throw new WharfError('conflict', messages.volumeNameTaken(name, present.driver));
      }
      const record = present ?? (await this.#make(name, wanted, anonymous));
      hold(record);
      return record;
    });
  }

  /** Throws `not-found`, `conflict` while containers hold it. With `force` a missing volume is no error. */
  async remove(name: string, options: { readonly force: boolean } = { force: false }): Promise<void> {
    const bury = await this.locks.run(name, async () => {
      const record = this.books.volumes.get(name);
      if (record === undefined) {
        if (options.force) return undefined;
        throw new WharfError('not-found', messages.noSuchVolume(name));
      }
      const holders = this.books.holders(name);
      if (holders.length > 0) throw new WharfError('conflict', messages.volumeInUse(name, holders));
      const deletion = await this.driver.remove(name);
      this.books.volumes.delete(name);
      await this.#store.committed();
      this.#events.publish({ type: 'volume', action: 'destroy', actorId: name, attributes: { driver: record.driver } });
      return deletion;
    });
    await bury?.();
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
      if (Object.keys(record.options ?? {}).length > 0) continue;
      const UsageData = { Size: await this.#sizeOf(record), RefCount: this.books.holders(record.name).length };
      volumes.push({ ...this.#view(record), UsageData });
    }
    return volumes;
  }

  /** After a start: makes books and directories agree. Data without a record is kept and becomes a volume again. */
  async recover(): Promise<void> {
    const found = new Set(await this.driver.recover());
    for (const name of found) {
      if (this.books.volumes.get(name) !== undefined) continue;
      this.#log.warn({ volume: name }, 'a volume without a record was found and taken in');
      this.#put({ name, driver: LOCAL_DRIVER, createdAt: this.#now(), labels: null, options: null });
    }
    for (const { name } of this.#records()) if (!found.has(name)) await this.driver.make(name);
    await this.#store.committed();
  }

  #records(): readonly VolumeRecord[] {
    return this.books.volumes.list().map(({ value }) => value);
  }

  async #make(name: string, wanted: CreateVolumeOptions, anonymous: boolean): Promise<VolumeRecord> {
    checkVolumeName(name);
    const options = wanted.options ?? null;
    if (options !== null) checkDriverOptions(options);
    const labels = anonymous ? { ...wanted.labels, [ANONYMOUS_LABEL]: '' } : (wanted.labels ?? null);
    const record = { name, driver: LOCAL_DRIVER, createdAt: this.#now(), labels, options };
    await this.driver.make(name);
    this.#put(record);
    this.#events.publish({ type: 'volume', action: 'create', actorId: name, attributes: { driver: LOCAL_DRIVER } });
    return record;
  }

  #put(record: VolumeRecord): void {
    this.books.volumes.put(record.name, record);
  }

  async #sizeOf(record: VolumeRecord): Promise<number> {
    try {
      return await this.driver.usage(record.name);
    } catch (error) {
      this.#log.warn({ volume: record.name, err: messageOf(error) }, 'the size of a volume could not be determined');
      return -1;
    }
  }

  #view(record: VolumeRecord): Volume {
    return toVolume(record, this.driver.dataPath(record.name));
  }

  #now(): string {
    return formatRfc3339Nano(this.#clock.nowNs()).replace(/\.\d+Z$/, 'Z');
  }
}
