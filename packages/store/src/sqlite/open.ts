import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, WharfError } from '@wharf/kit';
import { LOCK_WAIT_MS, RESERVE_BYTES } from '../limits.ts';
import { StoreState } from '../state.ts';
import type { Store } from '../store.ts';
import { SqliteJournal } from './journal.ts';
import { lockDatabase } from './lock.ts';
import { migrate } from './migrate.ts';
import { hasNoRoom, isDiskFull, Reserve } from './reserve.ts';

/**
 * Opens the durable store at `path`, making the file and its directory (mode 0700) where they are missing, and brings its
 * schema up to date. Beside it lie `-wal`, `-shm`, `.lock` and
 * `.reserve`, which is given up when the disk is so full that nothing could be opened.
 *
 * Throws `failed-precondition` while another process has it open or when it is not ours, `data-loss` when it is damaged,
 * `resource-exhausted` when the disk is full all the same.
 */
export function openStore(options: { readonly path: string; readonly lockWaitMs?: number }): Store {
  const { path, lockWaitMs = LOCK_WAIT_MS } = options;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const reserve = new Reserve(path);
  const released = hasNoRoom(path) ? reserve.release() : 0;
  const store = openDatabase(path, lockWaitMs);
  // On a full disk the rest of the start needs some of it too, and the next start what is left.
  reserve.keep(released > 0 ? released / 2 : RESERVE_BYTES);
  return store;
}

function openDatabase(path: string, lockWaitMs: number): Store {
  using stack = new DisposableStack();
  const release = lockDatabase(path, lockWaitMs);
  stack.defer(release);
  try {
    const database = new DatabaseSync(path, { timeout: 5_000 });
    stack.defer(() => database.close());
    // No checkpoints on the event loop: the journal decides when, and a worker does them.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
    shortenLog(database);
    migrate(database, path);
    const store = new StoreState(new SqliteJournal({ database, path, release }));
    stack.move();
    return store;
  } catch (cause) {
    if (cause instanceof WharfError) throw cause;
    const kind = isDiskFull(cause) || hasNoRoom(path) ? 'resource-exhausted' : 'data-loss';
    throw new WharfError(kind, `Cannot open the store "${path}": ${messageOf(cause)}`, { cause });
  }
}

/** The log can stay as long as it is while there is no room in the database. */
function shortenLog(database: DatabaseSync): void {
  try {
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}
