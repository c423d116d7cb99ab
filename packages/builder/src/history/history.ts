import { BoundedQueue, type Clock, type Digest, KeyedLock, type Logger, messageOf, WharfError } from '@wharf/kit';
import type { ContentStore } from '@wharf/oci/content/content-store';
import type { Store, Table } from '@wharf/store';
import { KEPT_MS, KEPT_RECORDS, MAX_PENDING_EVENTS, MAX_PINNED, MAX_RECORDS } from './limits.ts';
import { type BuildRecord, blobsOf, type RecordBlob } from './record.ts';

/** What happened to a record; of a deleted one the reference is left. */
export type HistoryEvent =
  | { readonly kind: 'started' | 'complete'; readonly record: BuildRecord }
  | { readonly kind: 'deleted'; readonly ref: string };

/** What is known of a build when it begins. */
export type BegunBuild = Pick<BuildRecord, 'ref' | 'frontend' | 'attrs' | 'exporters'>;

/** Stores a document that a record is to refer to. */
export type KeepDocument = (
  pieces: Iterable<Uint8Array>,
  kind: Pick<RecordBlob, 'mediaType' | 'annotations'>,
) => Promise<RecordBlob>;

/** How a build ended. */
export type EndOfBuild = (
  keep: KeepDocument,
) => Promise<Partial<Omit<BuildRecord, keyof BegunBuild | 'createdAt' | 'completedAt'>>>;

export interface HistoryLimits {
  readonly entries: number;
  readonly ageMs: number;
}

/** gRPC's UNAVAILABLE: what an interrupted build failed with. */
const INTERRUPTED = 14;

/**
 * The builds that were, with their logs and what is stated about their results.
 *
 * - A record is stored when its build begins and again when it ends; one without an end at the start of the daemon is marked as
 *   interrupted.
 * - Documents are stored before the record that refers to them, and removed after it.
 */
export class BuildHistory {
  /** Logs, errors and statements. */
  readonly content: ContentStore;
  readonly #table: Table<BuildRecord>;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #limits: HistoryLimits;
  readonly #listeners = new Set<BoundedQueue<HistoryEvent>>();
  /** Documents are neither stored nor removed side by side: two records may refer to one. */
  readonly #lock = new KeyedLock();
  readonly #ending = new Map<string, Promise<void>>();

  constructor(options: {
    readonly store: Store;
    readonly content: ContentStore;
    readonly clock: Clock;
    readonly log: Logger;
    readonly limits?: HistoryLimits;
  }) {
    this.content = options.content;
    this.#table = options.store.table('build-history');
    this.#clock = options.clock;
    this.#log = options.log;
    this.#limits = options.limits ?? { entries: KEPT_RECORDS, ageMs: KEPT_MS };
  }

  /** Marks what a crash interrupted and removes documents that belong to no record. To be called before the first build. */
  async recover(): Promise<void> {
    const referenced = new Set<Digest>();
    for (const { key, value } of this.#table.list()) {
      for (const digest of blobsOf(value)) referenced.add(digest);
      if (value.completedAt !== undefined) continue;
      const error = { code: INTERRUPTED, message: 'the daemon ended while this build was running' };
      this.#table.put(key, { ...value, completedAt: this.#now(), error });
    }
    for await (const { digest } of this.content.list()) {
      if (!referenced.has(digest)) await this.content.delete(digest);
    }
  }

  /** Notes that a build has begun. */
  begin(build: BegunBuild): void {
    const steps = { total: 0, cached: 0, completed: 0, warnings: 0 };
    const record = { ...build, createdAt: this.#now(), response: {}, steps, pinned: false, generation: 0 };
    this.#table.put(build.ref, record);
    this.#tell({ kind: 'started', record });
  }

  /** Notes that a build has ended, in the background; those who look at the record wait for it. */
  end(ref: string, describe: EndOfBuild): void {
    const ending = this.#end(ref, describe).catch((error: unknown) => {
      this.#log.warn({ ref, err: messageOf(error) }, 'the record of a build could not be kept');
    });
    this.#ending.set(ref, ending);
    void ending.then(() => this.#ending.delete(ref));
  }

  async #end(ref: string, describe: EndOfBuild): Promise<void> {
    const completedAt = this.#now();
    await this.#lock.run('', () => this.#store(ref, describe, completedAt));
  }

  async #store(ref: string, describe: EndOfBuild, completedAt: number): Promise<void> {
    const end = await describe(async (pieces, kind) => {
      await using writer = await this.content.writer();
      for (const piece of pieces) await writer.write(piece);
      const { digest, sizeBytes } = await writer.commit();
      return { ...kind, digest, size: sizeBytes };
    });
    const begun = this.#table.get(ref);
    if (begun === undefined) return;
    const record = { ...begun, ...end, completedAt };
    this.#table.put(ref, record);
    this.#tell({ kind: 'complete', record });
    await this.#collect();
  }

  /** A record, in its last state. */
  async find(ref: string): Promise<BuildRecord | undefined> {
    await this.#ending.get(ref);
    return this.#table.get(ref);
  }

  /** All records, the newest first. */
  async list(): Promise<readonly BuildRecord[]> {
    await Promise.all(this.#ending.values());
    const records = this.#table.list().map(({ value }) => value);
    return records.sort((one, other) => other.createdAt - one.createdAt);
  }

  /**
   * What happens to records from now on, until `signal` ends it. Taking an event throws `resource-exhausted` when too many were
   * waiting.
   */
  follow(signal: AbortSignal): AsyncIterable<HistoryEvent> {
    const queue = new BoundedQueue<HistoryEvent>(MAX_PENDING_EVENTS);
    const close = (): void => {
      this.#listeners.delete(queue);
      queue.close();
    };
    this.#listeners.add(queue);
    if (signal.aborted) close();
    else signal.addEventListener('abort', close, { once: true });
    return queue;
  }

  /** Keeps a record from being collected, or no longer. Throws `not-found`. */
  async pin(ref: string, pinned: boolean): Promise<void> {
    const record = await this.find(ref);
    if (record === undefined) throw notFound(ref);
    if (pinned && this.#table.list().filter(({ value }) => value.pinned).length >= MAX_PINNED) {
      throw new WharfError('resource-exhausted', `Cannot pin build ${ref}: ${MAX_PINNED} are pinned already`);
    }
    const changed = { ...record, pinned, generation: record.generation + 1 };
    this.#table.put(ref, changed);
    this.#tell({ kind: 'complete', record: changed });
  }

  /** Removes a record and its documents. Nothing happens to one that is not there. */
  async delete(ref: string): Promise<void> {
    const record = await this.find(ref);
    if (record === undefined) return;
    if (record.completedAt === undefined) {
      throw new WharfError('failed-precondition', `Cannot delete build ${ref} from the history: it is running`);
    }
    await this.#lock.run('', () => this.#remove(record));
  }

  async #remove(record: BuildRecord): Promise<void> {
    this.#table.delete(record.ref);
    this.#tell({ kind: 'deleted', ref: record.ref });
    const inUse = new Set(this.#table.list().flatMap(({ value }) => blobsOf(value)));
    for (const digest of blobsOf(record)) if (!inUse.has(digest)) await this.content.delete(digest);
  }

  /** A record goes when there are more than enough newer ones and it is old, or when there are far too many. */
  async #collect(): Promise<void> {
    const done = this.#table.list().flatMap(({ value }) => {
      const { completedAt, pinned } = value;
      return completedAt === undefined || pinned ? [] : [{ record: value, completedAt }];
    });
    done.sort((one, other) => other.completedAt - one.completedAt);
    const oldest = this.#now() - this.#limits.ageMs;
    for (const [index, { record, completedAt }] of done.entries()) {
      const isOld = index >= this.#limits.entries && completedAt < oldest;
      if (isOld || index >= MAX_RECORDS) await this.#remove(record);
    }
  }

  #tell(event: HistoryEvent): void {
    for (const queue of this.#listeners) {
      if (queue.push(event)) continue;
      queue.close(new WharfError('resource-exhausted', 'Cannot follow the build history: too many events are waiting'));
    }
  }

  #now(): number {
    return Number(this.#clock.nowNs() / 1_000_000n);
  }
}

function notFound(ref: string): WharfError {
  return new WharfError('not-found', `failed to retrieve ref ${ref}: file does not exist`);
}
