import { once } from 'node:events';
import { closeSync, fdatasync, fdatasyncSync, fstatSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { messageOf, WharfError } from '@wharf/kit';
import { CATCH_UP_WAL_BYTES, CHECKPOINT_WAL_BYTES, FORCED_CHECKPOINT_WAL_BYTES } from '../limits.ts';
import type { Change, Group, Journal } from '../state.ts';
import { numberOf } from './migrate.ts';
import { isDiskFull } from './reserve.ts';

/** A page of the database and its header (sqlite.org/fileformat, "The WAL File Format"). */
const FRAME_BYTES = 4096 + 24;
const COUNTER = "SELECT value FROM counters WHERE name = 'revision'";

/**
 * Groups of changes in a SQLite database in WAL mode.
 *
 * SQLite runs with `synchronous = NORMAL`: a commit appends to the log without waiting for the disk, and costs the event
 * loop microseconds. The wait is ours: fdatasync(2) of the log in libuv's pool, after which the group is as durable as
 * with `synchronous = FULL` (the log's frames carry checksums, so a torn tail is recognised; sqlite.org/walformat).
 *
 * Invariants:
 * - the log is synced before a group counts as written;
 * - SQLite itself syncs log and database around every checkpoint and reset of the log (NORMAL does, OFF would not);
 * - the descriptor of the log is ours alone; SQLite's fcntl locks are on the database and on the -shm file, so that
 *   closing it drops none of them.
 */
export class SqliteJournal implements Journal {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #release: () => void;
  readonly #upsert: StatementSync;
  readonly #remove: StatementSync;
  readonly #count: StatementSync;
  readonly #append: StatementSync;
  readonly #logEnd: StatementSync;
  readonly #trim: StatementSync;
  readonly #readLog: StatementSync;
  readonly #walFd: number;
  readonly #frames: StatementSync;
  #checkpointing: Promise<void> | undefined;

  constructor(options: { readonly database: DatabaseSync; readonly path: string; readonly release: () => void }) {
    this.#database = options.database;
    this.#path = options.path;
    this.#release = options.release;
    this.#upsert = this.#database.prepare(
      'INSERT INTO documents (collection, key, revision, value) VALUES (?, ?, ?, ?) ' +
        'ON CONFLICT (collection, key) DO UPDATE SET revision = excluded.revision, value = excluded.value',
    );
    this.#remove = this.#database.prepare('DELETE FROM documents WHERE collection = ? AND key = ?');
    this.#count = this.#database.prepare("UPDATE counters SET value = ? WHERE name = 'revision'");
    this.#append = this.#database.prepare(
      // A group whose sync failed comes again, and its rows may be there.
      'INSERT OR REPLACE INTO log_records (log, number, value) VALUES (?, ?, ?)',
    );
    this.#logEnd = this.#database.prepare(
      'INSERT INTO log_ends (log, number) VALUES (?, ?) ON CONFLICT (log) DO UPDATE SET number = excluded.number',
    );
    this.#trim = this.#database.prepare('DELETE FROM log_records WHERE log = ? AND number <= ?');
    this.#readLog = this.#database.prepare(
      'SELECT number, value FROM log_records WHERE log = ? AND number > ? ORDER BY number LIMIT ?',
    );
    this.#frames = this.#database.prepare('PRAGMA wal_checkpoint(NOOP)');
    // A write makes the log exist; its name in the directory must survive too.
    this.#count.run(numberOf(this.#database, COUNTER));
    this.#walFd = openSync(`${this.#path}-wal`, 'r');
    fdatasyncSync(this.#walFd);
    syncDirectory(dirname(this.#path));
  }

  load(): ReturnType<Journal['load']> {
    const rows = this.#database.prepare('SELECT collection, key, revision, value FROM documents').iterate();
    const ends = this.#database.prepare('SELECT log, number FROM log_ends').all();
    const logs = new Map(ends.map((row) => [String(row.log), Number(row.number)]));
    return { changes: toChanges(rows), lastRevision: numberOf(this.#database, COUNTER), logs };
  }

  readLog(log: string, after: number, limit: number): readonly { readonly number: number; readonly json: string }[] {
    const rows = this.#readLog.all(log, after, limit);
    return rows.map((row) => ({ number: Number(row.number), json: String(row.value) }));
  }

  async write(group: Group): Promise<void> {
    this.#commit(group);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    fdatasync(this.#walFd, (error) => (error === null ? resolve() : reject(writeError(this.#path, error))));
    await promise;
    await this.#checkpointIfLong();
  }

  close(group: Group): void {
    try {
      this.#commit(group);
      fdatasyncSync(this.#walFd);
    } finally {
      closeSync(this.#walFd);
      this.#database.close();
      this.#release();
    }
  }

  #commit({ changes, lastRevision, appended, trims }: Group): void {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { table, key, revision, json } of changes) {
        if (json === undefined) this.#remove.run(table, key);
        else this.#upsert.run(table, key, revision, json);
      }
      this.#count.run(lastRevision);
      for (const { log, number, json } of appended) this.#append.run(log, number, json);
      for (const [log, records] of Map.groupBy(appended, (record) => record.log))
        this.#logEnd.run(log, records.at(-1)?.number ?? 0);
      for (const { log, upTo } of trims) this.#trim.run(log, upTo);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw writeError(this.#path, error);
    }
  }

  /**
   * Keeps the log short. Its file never shrinks by a checkpoint: SQLite writes from its beginning again once all of it is in the
   * database, so the frames tell how long it is, and not the file's size.
   */
  async #checkpointIfLong(): Promise<void> {
    if (fstatSync(this.#walFd).size <= CHECKPOINT_WAL_BYTES) return;
    const { written, pending } = this.#logBytes();
    if (pending > CHECKPOINT_WAL_BYTES) void this.#checkpointInThread();
    if (written > CATCH_UP_WAL_BYTES) {
      // Groups came faster than a thread could copy them. The next one waits: nobody writes during the second of these two.
      await this.#checkpointing;
      await this.#checkpointInThread();
    }
    if (written > FORCED_CHECKPOINT_WAL_BYTES) this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  }

  /** Bytes in the log, and how many of them are not in the database yet. */
  #logBytes(): { readonly written: number; readonly pending: number } {
    const row = this.#frames.get();
    const [frames, copied] = [Number(row?.['log']), Number(row?.['checkpointed'])];
    return { written: frames * FRAME_BYTES, pending: (frames - copied) * FRAME_BYTES };
  }

  /** Resolves when the thread is through. A failed checkpoint loses nothing: the log stays and a later group tries again. */
  #checkpointInThread(): Promise<void> {
    this.#checkpointing ??= checkpoint(this.#path)
      .catch(() => undefined)
      .finally(() => {
        this.#checkpointing = undefined;
      });
    return this.#checkpointing;
  }
}

async function checkpoint(path: string): Promise<void> {
  const worker = new Worker(new URL('./checkpoint-worker.ts', import.meta.url), { workerData: { path } });
  await once(worker, 'exit');
}

function* toChanges(rows: Iterable<Record<string, unknown>>): Generator<Change> {
  for (const row of rows) {
    yield {
      table: String(row.collection),
      key: String(row.key),
      revision: Number(row.revision),
      json: String(row.value),
    };
  }
}

function writeError(path: string, cause: unknown): WharfError {
  const kind = isDiskFull(cause) ? 'resource-exhausted' : 'data-loss';
  return new WharfError(kind, `Cannot write to the store "${path}": ${messageOf(cause)}`, { cause });
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
