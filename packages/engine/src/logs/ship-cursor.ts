import { readFile, rename, writeFile } from 'node:fs/promises';
import { hasErrno, type Logger, messageOf } from '@wharf/kit';
import type { PendingLine } from './message-joiner.ts';

/** How far shipping has come; what is in the output beyond it is shipped again after a crash. */
export interface ShipCursor {
  readonly spoolOffset: number;
  readonly inode: number;
  readonly size: number;
  readonly pending: readonly (PendingLine | null)[];
}

/** Undefined when there is none yet, or (said in the log) when it cannot be understood. */
export async function readCursor(path: string, log: Logger): Promise<ShipCursor | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ShipCursor;
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return undefined;
    log.warn({ error: messageOf(error), path }, 'Log cursor is unreadable');
    return undefined;
  }
}

/** Replaces the cursor; with `flush` it is on disk when this resolves. */
export async function writeCursor(
  path: string,
  cursor: ShipCursor,
  options: { readonly flush: boolean },
): Promise<void> {
  const temporary = `${path}.tmp`;
  await writeFile(temporary, JSON.stringify(cursor), { mode: 0o600, flush: options.flush });
  await rename(temporary, path);
}
