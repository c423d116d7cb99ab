import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { hasErrno, messageOf } from '@wharf/kit';
import { FS_MAGIC, statfs } from '../fsx.ts';
import { mount } from '../mount.ts';
import { SIGNALS } from '../signals.ts';
import { type CgroupLayout, detectLayout, directoriesAt } from './layout.ts';

/** Kills every process of the cgroup at `path` and below it. Idempotent; it does not wait for them to be gone. */
export function killCgroup(path: string, layout: CgroupLayout = detectLayout()): void {
  for (const directory of ownDirectories(path, layout)) {
    try {
      writeFileSync(join(directory, 'cgroup.kill'), '1', { flag: 'r+' });
      continue;
    } catch {
      // v1, or before Linux 5.14: one by one.
    }
    for (const pid of processesBelow(directory)) {
      try {
        process.kill(pid, SIGNALS.SIGKILL);
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

/** The processes of the cgroup at `path` and below it, in any hierarchy. */
export function listCgroupProcesses(path: string, layout: CgroupLayout = detectLayout()): number[] {
  const pids = new Set<number>();
  for (const directory of ownDirectories(path, layout)) {
    for (const pid of processesBelow(directory)) pids.add(pid);
  }
  return [...pids];
}

/**
 * Removes the cgroup at `path` with those below it, in every hierarchy. False when processes still hold one: try again
 * once they are gone. Idempotent.
 */
export function removeCgroup(path: string, layout: CgroupLayout = detectLayout()): boolean {
  let gone = true;
  for (const directory of ownDirectories(path, layout)) gone = removeTree(directory) && gone;
  return gone;
}

/**
 * Takes limits of the cgroup at `path` away while it is in use: the number of tasks, the CPU quota. No error where the
 * cgroup or the controller is not there.
 */
export function liftLimits(
  path: string,
  limits: { readonly pids: boolean; readonly cpuQuota: boolean },
  layout: CgroupLayout = detectLayout(),
): void {
  const directories = directoriesAt(path, layout);
  // The v1 controller where there is one, else the v2 tree.
  const lift = (controller: string, v1: readonly [string, string], v2: readonly [string, string]): void => {
    const own = directories.get(controller);
    const unified = directories.get('');
    if (own !== undefined && writeExisting(join(own, v1[0]), v1[1])) return;
    if (unified !== undefined) writeExisting(join(unified, v2[0]), v2[1]);
  };
  if (limits.pids) lift('pids', ['pids.max', 'max'], ['pids.max', 'max']);
  if (limits.cpuQuota) lift('cpu', ['cpu.cfs_quota_us', '-1'], ['cpu.max', 'max']);
}

function writeExisting(path: string, value: string): boolean {
  try {
    writeFileSync(path, value, { flag: 'r+' });
    return true;
  } catch (error) {
    if (hasErrno(error, 'ENOENT', 'ENOTDIR')) return false;
    throw error;
  }
}

/** Never a root: everything of the host is below it. */
function ownDirectories(path: string, layout: CgroupLayout): ReadonlySet<string> {
  assert(normalize(`/${path}`) !== '/', 'a cgroup of our own is never the root');
  return new Set(directoriesAt(path, layout).values());
}

function removeTree(directory: string): boolean {
  for (const child of childrenOf(directory)) if (!removeTree(child)) return false;
  try {
    rmdirSync(directory);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

function processesBelow(directory: string): number[] {
  let pids: number[] = [];
  try {
    pids = readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number);
  } catch {
    return [];
  }
  return [...pids, ...childrenOf(directory).flatMap(processesBelow)];
}

function childrenOf(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(directory, entry.name));
  } catch {
    return [];
  }
}

export interface HybridPreparation {
  /** Controllers that were moved to a v1 hierarchy. */
  readonly mounted: readonly string[];
  /** Controllers that could not be moved, with the reason: crun will refuse this host. */
  readonly failed: readonly { readonly controller: string; readonly reason: string }[];
}

/**
 * crun refuses hosts that have v1 hierarchies and yet controllers on the v2 tree ("hybrid mode not supported"). Mounting
 * those as v1 too makes the host one that it takes. Does nothing on other layouts, and nothing twice.
 */
export function prepareHybridForCrun(layout: CgroupLayout = detectLayout()): HybridPreparation {
  const mounted: string[] = [];
  const failed: { controller: string; reason: string }[] = [];
  if (layout.kind !== 'hybrid' || statfs('/sys/fs/cgroup').type !== FS_MAGIC.tmpfs) return { mounted, failed };
  for (const controller of layout.unifiedControllers) {
    const target = `/sys/fs/cgroup/${controller}`;
    try {
      mkdirSync(target, { recursive: true });
      mount({ source: 'cgroup', target, type: 'cgroup', data: controller });
      mounted.push(controller);
    } catch (error) {
      failed.push({ controller, reason: messageOf(error) });
    }
  }
  return { mounted, failed };
}
