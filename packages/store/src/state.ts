import assert from 'node:assert/strict';
import { WharfError } from '@wharf/kit';
import { MAX_KEY_LENGTH, MAX_VALUE_LENGTH } from './limits.ts';
import { type Appended, LogState } from './log-state.ts';
import { SortedKeys } from './sorted-keys.ts';
import type { Entry, Log, PutOptions, RangeOptions, Store, Table } from './store.ts';

/** One change on its way to the disk; `json` is absent for a deletion. */
export interface Change {
  readonly table: string;
  readonly key: string;
  readonly revision: number;
  readonly json: string | undefined;
}

/** Changes that are kept together or not at all. */
export interface Group {
  readonly changes: readonly Change[];
  readonly lastRevision: number;
  readonly appended: readonly Appended[];
  /** Logs that lose their records up to a number. */
  readonly trims: readonly { readonly log: string; readonly upTo: number }[];
}

/** Where groups of changes are kept. */
export interface Journal {
  /** Everything kept but logs, of which only the newest number is told; read once at the start. */
  load(): {
    readonly changes: Iterable<Change>;
    readonly lastRevision: number;
    readonly logs: ReadonlyMap<string, number>;
  };
  /** Records of a log behind a number, in order. */
  readLog(log: string, after: number, limit: number): readonly { readonly number: number; readonly json: string }[];
  /** Writes one group atomically; resolves when it would survive a crash of the machine. Never called concurrently. */
  write(group: Group): Promise<void>;
  /** As `write`, synchronously, for the last group; then lets go of everything. */
  close(group: Group): void;
}

interface Rows {
  readonly entries: Map<string, Entry<unknown>>;
  /** Keys in order; made when first asked for. */
  order: SortedKeys | undefined;
}

/**
 * The store's memory: all documents, and the changes that a journal has not taken yet.
 *
 * Invariants:
 * - `#pending` holds the newest change of each key since the last group went out, so a group is always consistent;
 * - one group is on its way at a time; the next goes out when it has arrived;
 * - a group that failed is put back under newer changes, so nothing is lost while the daemon lives.
 */
export class StoreState implements Store {
  readonly #journal: Journal;
  readonly #tables = new Map<string, Rows>();
  readonly #handles = new Map<string, Table<unknown>>();
  readonly #logs = new Map<string, LogState>();
  #pending = new Map<string, Change>();
  #revision: number;
  #undo: (() => void)[] | undefined;
  #next: PromiseWithResolvers<void> | undefined;
  #writing: Promise<void> | undefined;
  #closed = false;

  constructor(journal: Journal) {
    this.#journal = journal;
    const { changes, lastRevision, logs } = journal.load();
    for (const [name, last] of logs) this.#makeLog(name, last);
    this.#revision = lastRevision;
    for (const { table, key, revision, json } of changes) {
      if (json === undefined) continue;
      this.#rows(table).entries.set(key, { key, revision, value: JSON.parse(json) as unknown });
      this.#revision = Math.max(this.#revision, revision);
    }
  }

  table<T>(name: string): Table<T> {
    checkName(name, 'table name');
    let handle = this.#handles.get(name);
    if (handle === undefined) {
      handle = this.#makeTable(name);
      this.#handles.set(name, handle);
    }
    return handle as Table<T>;
  }

  log<T>(name: string): Log<T> {
    checkName(name, 'log name');
    return (this.#logs.get(name) ?? this.#makeLog(name, 0)) as Log<T>;
  }

  transaction<T>(work: () => T): T {
    if (this.#undo !== undefined) return work();
    const undo: (() => void)[] = [];
    this.#undo = undo;
    try {
      const result = work();
      assert(!(result instanceof Promise), 'a store transaction must be synchronous');
      return result;
    } catch (error) {
      for (const step of undo.reverse()) step();
      throw error;
    } finally {
      this.#undo = undefined;
    }
  }

  committed(): Promise<void> {
    return this.#next?.promise ?? this.#writing ?? Promise.resolve();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#journal.close(this.#takeGroup([...this.#pending.values()]));
    this.#pending.clear();
    this.#next?.resolve();
    this.#next = undefined;
  }

  #makeTable(name: string): Table<unknown> {
    const rows = this.#rows(name);
    return {
      get: (key) => rows.entries.get(key)?.value,
      entry: (key) => rows.entries.get(key),
      put: (key, value, options) => this.#put({ name, rows, key, value, options }),
      delete: (key, options) => this.#delete({ name, rows, key, options }),
      list: (prefix = '') => rangeOf(rows, { prefix }),
      range: (options) => rangeOf(rows, options),
      get size() {
        return rows.entries.size;
      },
    };
  }

  #makeLog(name: string, last: number): LogState {
    const log = new LogState({
      name,
      last,
      host: {
        changed: (undo) => {
          assert(!this.#closed, 'the store is closed');
          this.#undo?.push(undo);
          this.#schedule();
        },
        read: (...where) => this.#journal.readLog(...where),
      },
    });
    this.#logs.set(name, log);
    return log;
  }

  /** Everything not written yet; the logs keep theirs until told that it is. */
  #takeGroup(changes: readonly Change[]): Group {
    const appended = [...this.#logs.values()].flatMap((log) => log.unwritten);
    const trims: { readonly log: string; readonly upTo: number }[] = [];
    for (const [name, log] of this.#logs) {
      const upTo = log.takeTrim();
      if (upTo !== undefined) trims.push({ log: name, upTo });
    }
    return { changes, lastRevision: this.#revision, appended, trims };
  }

  #groupWritten({ appended }: Group): void {
    const counts = Map.groupBy(appended, ({ log }) => log);
    for (const [name, entries] of counts) this.#logs.get(name)?.written(entries.length);
  }

  #put(what: { name: string; rows: Rows; key: string; value: unknown; options: PutOptions | undefined }): number {
    const { name, rows, key, value, options } = what;
    checkName(key, 'key');
    const before = rows.entries.get(key);
    checkRevision(name, key, before, options);
    const json = toJson(name, key, value);
    this.#revision += 1;
    const revision = this.#revision;
    this.#record({ table: name, key, revision, json }, rows, before);
    rows.entries.set(key, { key, value, revision });
    if (before === undefined) rows.order?.add(key);
    return revision;
  }

  #delete(what: { name: string; rows: Rows; key: string; options: PutOptions | undefined }): boolean {
    const { name, rows, key, options } = what;
    const before = rows.entries.get(key);
    checkRevision(name, key, before, options);
    if (before === undefined) return false;
    this.#revision += 1;
    this.#record({ table: name, key, revision: this.#revision, json: undefined }, rows, before);
    rows.entries.delete(key);
    rows.order?.delete(key);
    return true;
  }

  /** Queues a change for the journal and, inside a transaction, remembers how to take it back. */
  #record(change: Change, rows: Rows, before: Entry<unknown> | undefined): void {
    assert(!this.#closed, 'the store is closed');
    const slot = `${change.table}\0${change.key}`;
    const pendingBefore = this.#pending.get(slot);
    this.#undo?.push(() => {
      if (before === undefined) {
        rows.entries.delete(change.key);
        rows.order?.delete(change.key);
      } else {
        rows.entries.set(change.key, before);
        rows.order?.add(change.key);
      }
      if (pendingBefore === undefined) this.#pending.delete(slot);
      else this.#pending.set(slot, pendingBefore);
    });
    this.#pending.set(slot, change);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#next !== undefined) return;
    this.#next = Promise.withResolvers<void>();
    // Nobody need wait for a group; its failure is then met by the next `committed`.
    this.#next.promise.catch(() => {});
    if (this.#writing === undefined) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const waiting = this.#next;
    if (waiting === undefined || this.#closed) return;
    const pending = this.#pending;
    this.#pending = new Map();
    this.#next = undefined;
    this.#writing = waiting.promise;
    const group = this.#takeGroup([...pending.values()]);
    this.#journal.write(group).then(
      () => {
        this.#groupWritten(group);
        this.#written(waiting);
      },
      (error: unknown) => {
        for (const [slot, change] of pending) if (!this.#pending.has(slot)) this.#pending.set(slot, change);
        for (const { log } of group.trims) this.#logs.get(log)?.retryTrim();
        this.#written(waiting, error);
      },
    );
  }

  #written(waiting: PromiseWithResolvers<void>, error?: unknown): void {
    this.#writing = undefined;
    // `close` has synced everything itself and closed the file under a sync that was on its way.
    if (error === undefined || this.#closed) waiting.resolve();
    else waiting.reject(error);
    if (this.#next !== undefined) setImmediate(() => this.#flush());
  }

  #rows(name: string): Rows {
    let rows = this.#tables.get(name);
    if (rows === undefined) {
      rows = { entries: new Map(), order: undefined };
      this.#tables.set(name, rows);
    }
    return rows;
  }
}

function rangeOf(rows: Rows, options: RangeOptions): readonly Entry<unknown>[] {
  const { prefix = '', after, limit = Number.POSITIVE_INFINITY } = options;
  rows.order ??= SortedKeys.of(rows.entries.keys());
  const found: Entry<unknown>[] = [];
  if (limit <= 0) return found;
  for (const key of rows.order.from(after !== undefined && after > prefix ? after : prefix)) {
    if (!key.startsWith(prefix)) break;
    const entry = key === after ? undefined : rows.entries.get(key);
    if (entry !== undefined && found.push(entry) >= limit) break;
  }
  return found;
}

function checkName(name: string, what: string): void {
  if (name !== '' && name.length <= MAX_KEY_LENGTH && !name.includes('\0') && name.isWellFormed()) return;
  throw new WharfError(
    'invalid-argument',
    `Cannot use ${what} ${JSON.stringify(name.slice(0, 64))}: it is empty, too long or holds bad characters`,
  );
}

function checkRevision(
  table: string,
  key: string,
  entry: Entry<unknown> | undefined,
  options: PutOptions | undefined,
): void {
  const wanted = options?.ifRevision;
  const actual = entry?.revision ?? 0;
  if (wanted === undefined || wanted === actual) return;
  throw new WharfError('conflict', `Cannot change "${key}" in ${table}: it is at revision ${actual}, not ${wanted}`, {
    details: { table, key, actual, wanted },
  });
}

function toJson(table: string, key: string, value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw new WharfError('invalid-argument', `Cannot store "${key}" in ${table}: the value is no JSON document`, {
      cause,
    });
  }
  if (json === undefined)
    throw new WharfError('invalid-argument', `Cannot store "${key}" in ${table}: the value is no JSON document`);
  if (json.length <= MAX_VALUE_LENGTH) return json;
  throw new WharfError(
    'resource-exhausted',
    `Cannot store "${key}" in ${table}: ${json.length} bytes are more than ${MAX_VALUE_LENGTH}`,
  );
}
