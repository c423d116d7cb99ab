import { DatabaseSync } from 'node:sqlite';
import { workerData } from 'node:worker_threads';

// Copies the write-ahead log into the database, fsyncs included, away from the event loop; then the thread ends.
const database = new DatabaseSync((workerData as { readonly path: string }).path, { timeout: 5_000 });
database.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_checkpoint(PASSIVE)');
database.close();
