import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listProcesses } from '@wharf/linux/proc';

/**
 * The container monitors of this daemon that are alive, by container id. The processes themselves are the truth: a
 * file of pids could be missing what was started right before a crash. Monitors of execs have another bundle.
 */
export function findMonitors(execRoot: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const prefix = `${join(execRoot, 'containers')}/`;
  for (const pid of listProcesses()) {
    const argv = commandLine(pid);
    if (argv === undefined || argv[0] === undefined || !argv[0].endsWith('conmon')) continue;
    const bundle = argv[argv.indexOf('--bundle') + 1] ?? '';
    if (!bundle.startsWith(prefix)) continue;
    const id = bundle.slice(prefix.length);
    if (!id.includes('/')) found.set(id, pid);
  }
  return found;
}

function commandLine(pid: number): readonly string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    // It ended meanwhile, or is the kernel's.
    return undefined;
  }
}
