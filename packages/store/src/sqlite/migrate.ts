import type { DatabaseSync } from 'node:sqlite';
import { WharfError } from '@wharf/kit';

/** One step of the schema. Steps are never changed once released; a change is a new step. */
interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'documents',
    sql: `
      CREATE TABLE documents (
        id INTEGER PRIMARY KEY,
        collection TEXT NOT NULL,
        key TEXT NOT NULL,
        revision INTEGER NOT NULL,
        value TEXT NOT NULL,
        UNIQUE (collection, key)
      ) STRICT;
      CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      INSERT INTO counters (name, value) VALUES ('revision', 0);
    `,
  },
  {
    version: 2,
    name: 'logs',
    sql: `
      CREATE TABLE log_records (
        log TEXT NOT NULL,
        number INTEGER NOT NULL,
        value TEXT NOT NULL,
        PRIMARY KEY (log, number)
      ) STRICT, WITHOUT ROWID;
      CREATE TABLE log_ends (log TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    `,
  },
];

/** "whrf", kept in the file's header so that another program's database is not taken for ours. */
const applicationId = 0x77687266;

/**
 * Brings the schema to the newest version, one transaction per step.
 * Throws `failed-precondition` for a foreign database or one written by a newer wharf, `data-loss` for a damaged one.
 */
export function migrate(database: DatabaseSync, path: string): void {
  const refuse = (why: string, kind: 'failed-precondition' | 'data-loss' = 'failed-precondition') =>
    new WharfError(kind, `Cannot open the store "${path}": ${why}`);
  const found = numberOf(database, 'PRAGMA application_id');
  const tables = numberOf(database, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'");
  if (found !== applicationId && (found !== 0 || tables > 0)) throw refuse('it is a database of another program');
  const newest = migrations.length;
  const current = tables === 0 ? 0 : numberOf(database, 'SELECT coalesce(max(version), 0) FROM migrations');
  if (current > newest)
    throw refuse(`its schema has version ${current}, this wharf knows ${newest}; use a newer wharf`);
  for (const step of migrations.slice(current)) apply(database, step);
  const columns = database
    .prepare("SELECT name FROM pragma_table_info('documents')")
    .all()
    .map((row) => row.name);
  if (columns.join() !== 'id,collection,key,revision,value') throw refuse('its schema is damaged', 'data-loss');
}

function apply(database: DatabaseSync, step: Migration): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(`PRAGMA application_id = ${applicationId}`);
    database.exec(
      'CREATE TABLE IF NOT EXISTS migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL) STRICT',
    );
    database.exec(step.sql);
    const insert = database.prepare('INSERT INTO migrations (version, name, applied_at) VALUES (?, ?, ?)');
    insert.run(step.version, step.name, new Date().toISOString());
    database.exec('COMMIT');
  } catch (error) {
    database.exec('ROLLBACK');
    throw error;
  }
}

/** The first column of the first row, as a number. */
export function numberOf(database: DatabaseSync, sql: string): number {
  const row = database.prepare(sql).get();
  return row === undefined ? 0 : Number(Object.values(row)[0]);
}
