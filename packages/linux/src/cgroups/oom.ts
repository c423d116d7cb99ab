import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '@wharf/kit';
import { type CgroupLayout, detectLayout, directoriesAt } from './layout.ts';
import { parseFlat } from './parse.ts';

/**
 * How many processes of the cgroup at `path` the kernel has killed for want of memory (`oom_kill` of `memory.oom_control` on v1, Linux
 * 4.13, or of `memory.events` on v2). Undefined when the group, or its memory controller, is not there.
 */
export function readOomKills(path: string, layout: CgroupLayout = detectLayout()): number | undefined {
  const directories = directoriesAt(path, layout);
  const v1 = directories.get('memory');
  const file = v1 === undefined ? join(layout.unified ?? '', path, 'memory.events') : join(v1, 'memory.oom_control');
  try {
    return Number(parseFlat(readFileSync(file, 'utf8'))['oom_kill'] ?? 0);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENODEV')) return undefined;
    throw error;
  }
}
