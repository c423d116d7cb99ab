import { DatabaseSync } from 'node:sqlite';
import { WharfError } from '@wharf/kit';

/**
 * Takes sole ownership of a database for this process, by an exclusive transaction held open on a file beside it: the
 * kernel ends that lock with the process, however it dies. (A lock on the database itself would keep the checkpoint
 * worker out.) Nothing else may open the lock file: closing any descriptor of it would drop the lock (fcntl_locking(2)).
 *
 * Returns the release. Throws `failed-precondition` when another process, or another store in this one, has it.
 */
export function lockDatabase(path: string, waitMs: number): () => void {
  const lock = new DatabaseSync(`${path}.lock`, { timeout: waitMs });
  try {
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (cause) {
    lock.close();
    throw new WharfError('failed-precondition', `Cannot open the store "${path}": another process is using it`, {
      cause,
      code: 'store-locked',
      hint: 'Stop the other daemon, or give this one a data root of its own with --data-root',
    });
  }
  return () => lock.close();
}
