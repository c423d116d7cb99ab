import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '@wharf/kit';

/**
 * Bytes on disk of a tree as `du -x` counts them: blocks in use, files with several names once, other filesystems left
 * out. Synchronous: call it in a worker. What vanishes meanwhile counts as nothing.
 */
export function diskUsage(root: string): number {
  const seen = new Set<bigint>();
  let blocks = 0n;
  const device = lstatSync(root, { bigint: true }).dev;
  const pending = [root];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    try {
      const status = lstatSync(path, { bigint: true });
      if (status.dev !== device || (status.nlink > 1n && !status.isDirectory() && seen.has(status.ino))) continue;
      if (status.nlink > 1n) seen.add(status.ino);
      blocks += status.blocks;
      if (status.isDirectory()) for (const name of readdirSync(path)) pending.push(join(path, name));
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error;
    }
  }
  return Number(blocks) * 512;
}
