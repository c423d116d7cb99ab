import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno } from '@wharf/kit';
import { type CgroupLayout, detectLayout, directoriesAt } from './layout.ts';
import { parseFlat } from './parse.ts';

export interface OomState {
  /** Processes that the kernel has killed for want of memory (`oom_kill` of `memory.oom_control` on v1, Linux 4.13, or of `memory.events` on v2). */
  readonly kills: number;
  /** Processes wait for memory that nobody is killed for (v1 with `oom_kill_disable`). */
  readonly isStuck: boolean;
}

/** What want of memory has done to the cgroup at `path`. Undefined when the group, or its memory controller, is not there. */
export function readOomState(path: string, layout: CgroupLayout = detectLayout()): OomState | undefined {
  const v1 = directoriesAt(path, layout).get('memory');
  const file = memoryEventsFile(path, layout) ?? join(v1 ?? '', 'memory.oom_control');
  try {
    const { oom_kill: kills = 0, under_oom: stuck = 0 } = parseFlat(readFileSync(file, 'utf8'));
    return { kills: Number(kills), isStuck: Number(stuck) === 1 };
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
