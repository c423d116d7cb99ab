import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { messageOf, WharfError } from '@wharf/kit';
import { LOCK_WAIT_MS } from '../limits.ts';
import { StoreState } from '../state.ts';
import type { Store } from '../store.ts';
import { SqliteJournal } from './journal.ts';
import { lockDatabase } from './lock.ts';
import { migrate } from './migrate.ts';

/**
 * Opens the durable store at `path`, making the file and its directory (mode 0700) where they are missing, and brings its
 * schema up to date. Beside it lie `-wal`, `-shm` and `.lock`.
 *
 * Throws `failed-precondition` while another process has it open or when it is not ours, `data-loss` when it is damaged.
 */
export function openStore(options: { readonly path: string; readonly lockWaitMs?: number }): Store {
  const { path, lockWaitMs = LOCK_WAIT_MS } = options;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  using stack = new DisposableStack();
  const release = lockDatabase(path, lockWaitMs);
  stack.defer(release);
  try {
    const database = new DatabaseSync(path, { timeout: 5_000 });
    stack.defer(() => database.close());
    // No checkpoints on the event loop: the journal decides when, and a worker does them.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0');
    database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    migrate(database, path);
    const store = new StoreState(new SqliteJournal({ database, path, release }));
    stack.move();
    return store;
  } catch (cause) {
    if (cause instanceof WharfError) throw cause;
    throw new WharfError('data-loss', `Cannot open the store "${path}": ${messageOf(cause)}`, { cause });
  }
}
