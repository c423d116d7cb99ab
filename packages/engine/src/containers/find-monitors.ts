import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasErrno, TimeSlice } from '@wharf/kit';
import { listProcesses, parentPidOf } from '@wharf/linux/proc';

/**
 * The container monitors of this daemon that are alive, by container id. The processes themselves are the truth: a
 * file of pids could be missing what was started right before a crash. Monitors of execs have another bundle.
 */
export async function findMonitors(execRoot: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const prefix = `${join(execRoot, 'containers')}/`;
  const slice = new TimeSlice();
  for (const pid of listProcesses()) {
    await slice.turn();
    const argv = commandLine(pid);
    if (argv === undefined || argv[0] === undefined || !argv[0].endsWith('conmon')) continue;
    const bundle = argv[argv.indexOf('--bundle') + 1] ?? '';
    if (!bundle.startsWith(prefix)) continue;
    const id = bundle.slice(prefix.length);
    if (!id.includes('/')) found.set(id, pid);
  }
  return found;
}

/**
 * Ends a monitor that nobody will adopt, with the runtime it may be running and what that has begun to create: a runtime that is left
 * alone in the middle of a `create` would go on working on a container that is being cleared away.
 */
export function killMonitor(pid: number): void {
  const parents = new Map(listProcesses().map((each) => [each, parentPidOf(each)]));
  const doomed = [pid];
  // The monitor first, so that it writes no exit file; then everything below it.
  for (let at = 0; at < doomed.length; at++) {
    const parent = doomed[at];
    for (const [child, above] of parents) if (above === parent && child !== parent) doomed.push(child);
  }
  for (const each of doomed) {
    try {
      process.kill(each, 'SIGKILL');
    } catch (error) {
      if (!hasErrno(error, 'ESRCH')) throw error;
    }
  }
}

function commandLine(pid: number): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It ended meanwhile, or is the kernel's.
    return undefined;
  }
}
