import { randomUUID } from 'node:crypto';
import type { Digest } from '@wharf/kit';
import { registryError } from '../errors.ts';
import { MAX_UPLOADS, MAX_UPLOADS_PER_REPOSITORY, UPLOAD_PARK_MS } from '../limits.ts';
import type { Catalog } from '../model/catalog.ts';
import type { UploadRecord } from '../model/records.ts';
import type { Algorithm, BlobStorage, BlobUpload, StoredBlob } from '../storage/storage.ts';

interface Live {
  readonly upload: BlobUpload;
  timer: NodeJS.Timeout | undefined;
  /** Set while its file is being let go of. */
  parking: Promise<void> | undefined;
}

/**
 * Upload sessions: a record each in the catalog, which outlives a restart, and for those in use the open file.
 *
 * - One request at a time works on a session; a second is refused, since their bytes would mix.
 * - A session nobody works on is parked after a while: its bytes stay, its descriptor goes.
 */
export class UploadSessions {
  readonly #catalog: Catalog;
  readonly #storage: BlobStorage;
  readonly #now: () => number;
  readonly #live = new Map<string, Live>();
  readonly #busy = new Set<string>();
  readonly #lastUse = new Map<string, number>();
  readonly #counts = new Map<string, number>();

  constructor(options: { readonly catalog: Catalog; readonly storage: BlobStorage; readonly now: () => number }) {
    this.#catalog = options.catalog;
    this.#storage = options.storage;
    this.#now = options.now;
    for (const { value } of this.#catalog.uploads.list()) this.#count(value.repository, 1);
  }

  /** Sessions of a repository, for those who want to remove it. */
  countOf(repository: string): number {
    return this.#counts.get(repository) ?? 0;
  }

  /** Begins a session and returns its id. The record is durable with the next `committed()`. */
  begin(options: { repository: string; algorithm: Algorithm; by: string }): string {
    const { repository, algorithm, by } = options;
    if (this.#catalog.uploads.size >= MAX_UPLOADS || this.countOf(repository) >= MAX_UPLOADS_PER_REPOSITORY)
      throw registryError('TOOMANYREQUESTS', 'too many uploads at once', { headers: { 'Retry-After': '30' } });
    const id = randomUUID();
    this.#catalog.uploads.put(id, { repository, algorithm, by, startedAt: this.#now() });
    this.#count(repository, 1);
    this.#lastUse.set(id, this.#now());
    return id;
  }

  /** The session of that id in that repository. Throws `BLOB_UPLOAD_UNKNOWN`. */
  find(repository: string, id: string): UploadRecord {
    const record = this.#catalog.uploads.get(id.slice(0, 64));
    if (record?.repository !== repository)
      throw registryError('BLOB_UPLOAD_UNKNOWN', 'blob upload unknown to registry', {
        detail: { id: id.slice(0, 64) },
      });
    return record;
  }

  /** When the session was last worked on, as far as this process knows. */
  lastUse(id: string, record: UploadRecord): number {
    return this.#lastUse.get(id) ?? record.startedAt;
  }

  isBusy(id: string): boolean {
    return this.#busy.has(id);
  }

  /** Works on a session: `work` has it for itself. Throws `BLOB_UPLOAD_INVALID` when another request has it. */
  async use<T>(id: string, record: UploadRecord, work: (upload: BlobUpload) => Promise<T>): Promise<T> {
    if (this.#busy.has(id))
      throw registryError('BLOB_UPLOAD_INVALID', 'another request is writing to this upload', { status: 409 });
    this.#busy.add(id);
    try {
      const live = await this.#open(id, record);
      clearTimeout(live.timer);
      return await work(live.upload);
    } finally {
      this.#busy.delete(id);
      this.#lastUse.set(id, this.#now());
      this.#parkLater(id);
    }
  }

  /** Ends a session with its blob in place; inside `use`. The record goes with the next group. */
  async finish(id: string, upload: BlobUpload, digest: Digest): Promise<StoredBlob> {
    try {
      return await upload.commit(digest);
    } finally {
      // Either way the bytes are no longer the session's.
      this.#forget(id);
    }
  }

  /** Drops a session and its bytes. */
  async drop(id: string): Promise<void> {
    const live = this.#live.get(id);
    this.#forget(id);
    if (live === undefined) await this.#storage.discardUpload(id);
    else await live.upload.discard();
  }

  /** Parks everything, for the end of the process. */
  async close(): Promise<void> {
    const all = [...this.#live.values()];
    this.#live.clear();
    for (const { upload, timer } of all) {
      clearTimeout(timer);
      await upload.park();
    }
  }

  async #open(id: string, record: UploadRecord): Promise<Live> {
    const found = this.#live.get(id);
    if (found !== undefined && found.parking === undefined) return found;
    await found?.parking;
    const made = { upload: await this.#storage.upload(id, record.algorithm), timer: undefined, parking: undefined };
    this.#live.set(id, made);
    return made;
  }

  #parkLater(id: string): void {
    const live = this.#live.get(id);
    if (live === undefined) return;
    live.timer = setTimeout(() => {
      if (this.#busy.has(id)) return;
      live.parking = live.upload.park().finally(() => {
        if (this.#live.get(id) === live) this.#live.delete(id);
      });
      live.parking.catch(() => {});
    }, UPLOAD_PARK_MS).unref();
  }

  #forget(id: string): void {
    clearTimeout(this.#live.get(id)?.timer);
    this.#live.delete(id);
    this.#lastUse.delete(id);
    const record = this.#catalog.uploads.get(id);
    if (record === undefined) return;
    this.#catalog.uploads.delete(id);
    this.#count(record.repository, -1);
  }

  #count(repository: string, by: number): void {
    const next = this.countOf(repository) + by;
    if (next <= 0) this.#counts.delete(repository);
    else this.#counts.set(repository, next);
  }
}
