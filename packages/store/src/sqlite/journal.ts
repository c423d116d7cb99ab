import { closeSync, fdatasync, fdatasyncSync, fstatSync, fsyncSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { messageOf, WharfError } from '@wharf/kit';
import { CHECKPOINT_WAL_BYTES, FORCED_CHECKPOINT_WAL_BYTES } from '../limits.ts';
import type { Change, Journal } from '../state.ts';
import { numberOf } from './migrate.ts';
import { isDiskFull } from './reserve.ts';

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
  readonly #walFd: number;
  #checkpoint: Worker | undefined;

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
    // A write makes the log exist; its name in the directory must survive too.
    this.#count.run(numberOf(this.#database, 'SELECT value FROM counters'));
    this.#walFd = openSync(`${this.#path}-wal`, 'r');
    fdatasyncSync(this.#walFd);
    syncDirectory(dirname(this.#path));
  }

  load(): { readonly changes: Iterable<Change>; readonly lastRevision: number } {
    const rows = this.#database.prepare('SELECT collection, key, revision, value FROM documents').iterate();
    return { changes: toChanges(rows), lastRevision: numberOf(this.#database, 'SELECT value FROM counters') };
  }

  async write(changes: readonly Change[], lastRevision: number): Promise<void> {
    this.#commit(changes, lastRevision);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    fdatasync(this.#walFd, (error) => (error === null ? resolve() : reject(writeError(this.#path, error))));
    await promise;
    this.#checkpointIfLong();
  }

  close(changes: readonly Change[], lastRevision: number): void {
    try {
      this.#commit(changes, lastRevision);
      fdatasyncSync(this.#walFd);
    } finally {
      closeSync(this.#walFd);
      this.#database.close();
      this.#release();
    }
  }

  #commit(changes: readonly Change[], lastRevision: number): void {
    try {
      this.#database.exec('BEGIN IMMEDIATE');
      for (const { table, key, revision, json } of changes) {
        if (json === undefined) this.#remove.run(table, key);
        else this.#upsert.run(table, key, revision, json);
      }
      this.#count.run(lastRevision);
      this.#database.exec('COMMIT');
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
      throw writeError(this.#path, error);
    }
  }

  #checkpointIfLong(): void {
    const walBytes = fstatSync(this.#walFd).size;
    if (walBytes > FORCED_CHECKPOINT_WAL_BYTES) {
      this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } else if (walBytes > CHECKPOINT_WAL_BYTES && this.#checkpoint === undefined) {
      const worker = new Worker(new URL('./checkpoint-worker.ts', import.meta.url), {
        workerData: { path: this.#path },
      });
      this.#checkpoint = worker;
      worker.unref();
      // A failed checkpoint loses nothing: the log stays and the next group tries again.
      worker.once('error', () => {});
      worker.once('exit', () => {
        this.#checkpoint = undefined;
      });
    }
  }
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
