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
  const v1 = directoriesAt(path, layout).get('memory');
  const file = memoryEventsFile(path, layout) ?? join(v1 ?? '', 'memory.oom_control');
  try {
    return Number(parseFlat(readFileSync(file, 'utf8'))['oom_kill'] ?? 0);
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENODEV')) return undefined;
    throw error;
  }
}

/**
 * The file of a cgroup on v2 that changes whenever its memory was short (inotify(7) tells of it); undefined on v1, where only an eventfd
 * does.
 */
export function memoryEventsFile(path: string, layout: CgroupLayout = detectLayout()): string | undefined {
  if (directoriesAt(path, layout).has('memory')) return undefined;
  return join(layout.unified ?? '', path, 'memory.events');
}
