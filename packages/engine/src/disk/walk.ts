import { lstatSync, readdirSync } from 'node:fs';
import { hasErrno } from '@wharf/kit';

/** Rooms of the data root whose entries are accounted for one by one. */
const DIVIDED = new Set(['snapshots', 'volumes', 'containers', 'content']);

/**
 * Which part of the account a path belongs to: `snapshots/3`, `volumes/data`, `content/ingest`, `wharf.db`. Pure.
 */
export function partOf(relative: string): string {
  const [room = '', entry] = relative.split('/', 2);
  return entry !== undefined && DIVIDED.has(room) ? `${room}/${entry}` : room;
}

/**
 * Bytes on disk below the data root, by part, as `du -x` counts them: blocks in use, a file with several names once (in
 * the part met first), other filesystems left out. Directories that hold parts count for the part `''`. Synchronous: call it in
 * a worker. What vanishes meanwhile counts as nothing.
 */
export function walkParts(root: string): Record<string, number> {
  const sums = new Map<string, number>();
  const seen = new Set<bigint>();
  const device = lstatSync(root, { bigint: true }).dev;
  const pending: string[] = [''];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    try {
      const path = at === '' ? root : `${root}/${at}`;
      const status = lstatSync(path, { bigint: true });
      if (status.dev !== device || (status.nlink > 1n && !status.isDirectory() && seen.has(status.ino))) continue;
      if (status.nlink > 1n) seen.add(status.ino);
      const part = DIVIDED.has(at) ? '' : partOf(at);
      sums.set(part, (sums.get(part) ?? 0) + Number(status.blocks) * 512);
      if (status.isDirectory()) for (const name of readdirSync(path)) pending.push(at === '' ? name : `${at}/${name}`);
    } catch (error) {
      if (!hasErrno(error, 'ENOENT', 'ENOTDIR')) throw error;
    }
  }
  return Object.fromEntries(sums);
}
