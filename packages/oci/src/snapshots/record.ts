import { readlink, rename, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { type ChainId, hasErrno } from '@wharf/kit';

/** What is kept of a snapshot, beside its trees. */
export interface SnapshotRecord {
  readonly key: string;
  readonly kind: 'active' | 'committed';
  readonly parent: ChainId | '';
  readonly createdAt: string;
  /**
   * Set until the data of a committed snapshot is known to be on disk: the boot (kernel.random.boot_id) it was written in. Found
   * under another boot, the data may be lost, and `recover` drops the snapshot.
   */
  readonly unsyncedBoot?: string | undefined;
  /** Its layer is the whole of its own directory, also what looks as it does below. */
  readonly standalone?: boolean | undefined;
  /** Files of its own directory have further names elsewhere. */
  readonly linked?: boolean | undefined;
}

const NAME = 'meta';

/**
 * Writes the record as the target of a symlink: the kernel makes it whole or not at all, in one journal entry and one
 * call, where a file needs an fsync to be as sure.
 */
export async function writeRecord(directory: string, record: SnapshotRecord): Promise<void> {
  await symlink(JSON.stringify(record), join(directory, NAME));
}

/** As `writeRecord`, in the place of an earlier one. */
export async function replaceRecord(directory: string, record: SnapshotRecord): Promise<void> {
  const fresh = join(directory, `${NAME}.new`);
  await unlink(fresh).catch((error: unknown) => {
    if (!hasErrno(error, 'ENOENT')) throw error;
  });
  await symlink(JSON.stringify(record), fresh);
  await rename(fresh, join(directory, NAME));
}

/** The record in a directory; undefined when there is none that can be read. */
export async function readRecord(directory: string): Promise<SnapshotRecord | undefined> {
  try {
    const value: unknown = JSON.parse(await readlink(join(directory, NAME)));
    return isRecord(value) ? value : undefined;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'EINVAL', 'ENOTDIR') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isRecord(value: unknown): value is SnapshotRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { key, kind, parent, createdAt } = value as Record<string, unknown>;
  return (
    typeof key === 'string' &&
    (kind === 'active' || kind === 'committed') &&
    typeof parent === 'string' &&
    typeof createdAt === 'string'
  );
}
