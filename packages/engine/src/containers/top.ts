import { WharfError } from '@wharf/kit';
import { listCgroupProcesses } from '@wharf/linux/cgroup';
import { runTool } from '@wharf/linux/spawn';
import { containerNotRunning } from '@wharf/wire/docker/messages';
import { findProgram } from '../runtime/find-program.ts';
import type { TopResult } from './container-service.ts';
import { TOP_DEADLINE_MS } from './limits.ts';
import type { LiveContainer } from './live.ts';
import { cgroupOf, publish, type Room } from './room.ts';

/** `docker top`: the host's ps, narrowed to the container's processes. */
export async function topContainer(room: Room, live: LiveContainer, psArguments: string): Promise<TopResult> {
  const args = psArguments || '-ef';
  validatePsArguments(args);
  if (live.record.state.status === 'restarting') {
    throw new WharfError('conflict', `Container ${live.id} is restarting, wait until the container is running`);
  }
  if (live.run === undefined) throw new WharfError('conflict', containerNotRunning(live.id));
  const pids = listCgroupProcesses(cgroupOf(room.config, live.record));
  const output = await runPs(args.split(' '), pids);
  const result = parsePs(output, new Set(pids));
  publish(room, live.record, 'top');
  return result;
}

/** A column renamed to PID would be taken for the pid: Docker refuses `-o x=PID`. Throws `internal` in its words. */
export function validatePsArguments(text: string): void {
  for (const [, key = '', value = ''] of text.matchAll(/\s+([^\s]*)=\s*(PID[^\s]*)/g)) {
    if (key !== 'pid') throw new WharfError('internal', `specifying "${key}=${value}" is not allowed`);
  }
}

async function runPs(args: readonly string[], pids: readonly number[]): Promise<string> {
  const path = findProgram('ps');
  if (path === undefined) {
    throw new WharfError('internal', 'ps: executable file not found in $PATH', { hint: 'apt-get install procps' });
  }
  const run = (more: readonly string[]) =>
    runTool({ path, argv: ['ps', ...args, ...more], timeoutMs: TOP_DEADLINE_MS });
  // Some options do not go with -q: then without, and narrowed here.
  let result = await run([`-q${pids.join(',')}`]);
  if (result.code !== 0) result = await run([]);
  if (result.code !== 0) {
    const [line] = result.stderr.toString('utf8').split('\n');
    throw new WharfError('internal', `ps: ${line || `exit status ${result.code}`}`);
  }
  return result.stdout.toString('utf8');
}

/** Picks the lines of those pids, and the thread lines (`-`) that follow them. Throws `internal` in Docker's words. */
export function parsePs(output: string, pids: ReadonlySet<number>): TopResult {
  const [header = '', ...lines] = output.split('\n');
  const titles = fields(header);
  const pidIndex = titles.indexOf('PID');
  if (pidIndex < 0) throw new WharfError('internal', "Couldn't find PID field in ps output");
  const processes: string[][] = [];
  let inside = false;
  for (const line of lines) {
    if (line === '') continue;
    const row = fields(line);
    const pid = row[pidIndex] ?? '';
    if (pid !== '-') {
      if (!/^\d+$/.test(pid)) throw new WharfError('internal', `Unexpected pid '${pid}': invalid syntax`);
      inside = pids.has(Number(pid));
    }
    if (!inside) continue;
    // The last column is the command, blanks and all.
    processes.push([...row.slice(0, titles.length - 1), row.slice(titles.length - 1).join(' ')]);
  }
  return { Titles: titles, Processes: processes };
}

function fields(line: string): string[] {
  return line.split(/[\t\n\f\r ]+/).filter(Boolean);
}
