import { readdir } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { newId, WharfError } from '@wharf/kit';
import { WorkerPool } from '@wharf/oci/workers/pool';
import type { Volume } from '@wharf/wire/docker/types';
import type { Attachments } from './attachments.ts';
import { checkVolumeName, LOCAL_DRIVER, type VolumeRecord } from './volume.ts';
import type { VolumeStore } from './volume-store.ts';

const module = import.meta.resolve('./copy-jobs.ts');

/**
 * What Docker has no verbs for: a volume's content as an archive, a copy of it, another name for it. A copy of a volume in
 * use is of the files as they are met; whoever needs them at one instant pauses the containers first.
 */
export class VolumeCopies {
  readonly #store: VolumeStore;
  readonly #attachments: Attachments;
  readonly #durable: () => Promise<void>;
  readonly #pool = new WorkerPool({ name: 'volume-copies', size: 1 });

  constructor(parts: {
    readonly store: VolumeStore;
    readonly attachments: Attachments;
    readonly durable: () => Promise<void>;
  }) {
    this.#store = parts.store;
    this.#attachments = parts.attachments;
    this.#durable = parts.durable;
  }

  /** Writes the content as an archive. Throws `not-found`. */
  async export(
    name: string,
    to: { readonly write: (chunk: Uint8Array) => Promise<void>; readonly signal: AbortSignal },
  ): Promise<void> {
    await this.#reading(name, (path) =>
      this.#pool.run({
        module,
        job: 'packJob',
        params: { path },
        output: to.write,
        signal: to.signal,
      }),
    );
  }

  /**
   * Unpacks an archive, compressed or not, into a volume, made when it is missing. Throws `conflict` when there is
   * something in it. A new volume that could not be filled is gone again.
   */
  async import(name: string, from: { readonly body: Readable; readonly signal: AbortSignal }): Promise<Volume> {
    return this.#writing(name, {}, (path) =>
      this.#pool.run({
        module,
        job: 'unpackJob',
        params: { path },
        input: from.body.iterator({ destroyOnReturn: false }),
        signal: from.signal,
      }),
    );
  }

  /** Makes a volume with the same content, labels and size; data is shared where the filesystem can. Throws `conflict`. */
  async clone(name: string, to: string): Promise<Volume> {
    const source = this.#store.record(name);
    if (this.#store.books.volumes.get(to) !== undefined) throw taken(to);
    const size = source.options?.['size'];
    const like = { labels: source.labels, options: size === undefined ? null : { size } };
    return this.#reading(name, (rootfs) =>
      this.#writing(to, like, (target) => this.#store.worker.run({ kind: 'populate', rootfs, path: '/', target })),
    );
  }

  /** Gives a local volume another name. Throws `conflict` while a container, running or not, has it. */
  async rename(name: string, to: string): Promise<Volume> {
    checkVolumeName(to);
    await this.#store.rename(name, to);
    return this.#store.inspect(to);
  }

  /** Ends the worker. */
  close(): Promise<void> {
    return this.#pool.close();
  }

  async #reading<T>(name: string, work: (path: string) => Promise<T>): Promise<T> {
    const record = this.#store.record(name);
    const user = `copy-${newId().slice(0, 12)}`;
    using _ = this.#store.books.hold(name, user);
    const path = await this.#attachments.attach(record, user);
    try {
      return await work(path);
    } finally {
      await this.#attachments.detach(name, user);
    }
  }

  async #writing(
    name: string,
    like: { readonly labels?: VolumeRecord['labels']; readonly options?: VolumeRecord['options'] },
    work: (path: string) => Promise<unknown>,
  ): Promise<Volume> {
    const { volumes } = this.#store.books;
    const isNew = volumes.get(name) === undefined;
    const record = await this.#store.ensure({ name, driver: LOCAL_DRIVER, ...like }, () => {});
    if (isNew) volumes.put(name, { ...record, unfinished: true });
    await this.#durable();
    try {
      await this.#reading(name, async (path) => {
        if (!isNew && (await readdir(path)).length > 0) {
          throw new WharfError('conflict', `Cannot fill volume "${name}": there is something in it`);
        }
        await work(path);
      });
    } catch (error) {
      if (isNew) await this.#store.remove(name, { force: true });
      throw error;
    }
    volumes.put(name, { ...record, unfinished: undefined });
    await this.#durable();
    return this.#store.inspect(name);
  }
}

function taken(name: string): WharfError {
  return new WharfError('conflict', `Cannot make volume "${name}": there is one of that name`);
}
