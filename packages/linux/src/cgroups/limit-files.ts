import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupLayout, detectLayout, directoriesAt } from './layout.ts';

/** Files with one value, in an order in which limits can be lowered; `''` is the v2 tree. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  cpu: ['cpu.shares', 'cpu.cfs_period_us', 'cpu.cfs_quota_us', 'cpu.rt_period_us', 'cpu.rt_runtime_us'],
  cpuset: ['cpuset.cpus', 'cpuset.mems'],
  memory: [
    ...['memory.limit_in_bytes', 'memory.memsw.limit_in_bytes', 'memory.soft_limit_in_bytes', 'memory.swappiness'],
  ],
  pids: ['pids.max'],
  blkio: ['blkio.weight', 'blkio.bfq.weight'],
  '': [
    ...['cpu.weight', 'cpu.max', 'cpuset.cpus', 'cpuset.mems', 'memory.max', 'memory.swap.max', 'memory.low'],
    ...['memory.high', 'pids.max', 'io.weight', 'io.bfq.weight'],
  ],
};

/** Files with a line for each device, and what takes a device's line away. */
const BY_DEVICE: Readonly<Record<string, readonly (readonly [file: string, none: string])[]>> = {
  blkio: ['read_bps', 'write_bps', 'read_iops', 'write_iops'].map((name) => [`blkio.throttle.${name}_device`, '0']),
  '': [['io.max', 'rbps=max wbps=max riops=max wiops=max']],
};

/**
 * Remembers the limits of the cgroup at `path`; the function it returns puts back those that have changed since, as well as the kernel
 * lets it. Costs some twenty small reads.
 */
export function rememberLimits(path: string, layout: CgroupLayout = detectLayout()): () => void {
  const values = new Map<string, string>();
  const lists = new Map<string, { readonly before: string; readonly none: string }>();
  for (const [controller, directory] of directoriesAt(path, layout)) {
    for (const name of VALUES[controller] ?? []) {
      const text = read(join(directory, name));
      if (text !== undefined) values.set(join(directory, name), text);
    }
    for (const [name, none] of BY_DEVICE[controller] ?? []) {
      const before = read(join(directory, name));
      if (before !== undefined) lists.set(join(directory, name), { before, none });
    }
  }
  return () => {
    // Twice: memory and memory with swap (v1) go up in one order and down in the other.
    for (let round = 0; round < 2; round += 1) {
      for (const [file, before] of values) if (read(file) !== before) write(file, before === '' ? '\n' : before);
    }
    for (const [file, { before, none }] of lists) restoreList(file, before, none);
  };
}

function restoreList(file: string, before: string, none: string): void {
  const now = read(file);
  if (now === undefined || now === before) return;
  const had = new Set(before.split('\n').map(deviceOf));
  for (const line of now.split('\n'))
    if (line !== '' && !had.has(deviceOf(line))) write(file, `${deviceOf(line)} ${none}`);
  for (const line of before.split('\n')) if (line !== '') write(file, line);
}

function deviceOf(line: string): string {
  return line.split(' ')[0] ?? '';
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function write(file: string, value: string): void {
  try {
    writeFileSync(file, value, { flag: 'r+' });
  } catch {
    // The next round, or nothing: what the kernel refuses to take back was never ours to promise.
  }
}
