import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type MountEntry, parseMountInfo } from '../mountinfo.ts';

/** How this host's controllers are spread over cgroup v1 hierarchies and the v2 tree. */
export interface CgroupLayout {
  /** `v2`: the one tree is at /sys/fs/cgroup. `hybrid`: v1 hierarchies with a v2 tree beside them. */
  readonly kind: 'v1' | 'v2' | 'hybrid';
  /** Mount point of each v1 controller; those mounted together (`cpu,cpuacct`) share one. `name=systemd` is among them. */
  readonly v1: ReadonlyMap<string, string>;
  /** Where the v2 tree is, if anywhere. */
  readonly unified: string | undefined;
  /** The controllers that the v2 tree has. */
  readonly unifiedControllers: readonly string[];
}

const KNOWN_FLAGS = new Set(['rw', 'ro', 'xattr', 'noprefix', 'clone_children', 'nsdelegate', 'memory_recursiveprot']);

/** The layout told from a mount table, for tests; `controllersOf` reads `cgroup.controllers` of the v2 tree. */
export function layoutOf(
  mounts: readonly MountEntry[],
  controllersOf: (mountPoint: string) => readonly string[],
): CgroupLayout {
  const v1 = new Map<string, string>();
  let unified: string | undefined;
  for (const mount of mounts) {
    if (mount.type === 'cgroup2') unified ??= mount.mountPoint;
    if (mount.type !== 'cgroup') continue;
    for (const option of mount.superOptions) {
      if (!KNOWN_FLAGS.has(option) && !option.startsWith('release_agent') && !v1.has(option))
        v1.set(option, mount.mountPoint);
    }
  }
  const controllers = [...v1.keys()].filter((name) => !name.startsWith('name='));
  const kind = unified === undefined ? 'v1' : controllers.length === 0 ? 'v2' : 'hybrid';
  return { kind, v1, unified, unifiedControllers: unified === undefined ? [] : controllersOf(unified) };
}

/** The layout of this host now. */
export function detectLayout(): CgroupLayout {
  return layoutOf(parseMountInfo(readFileSync('/proc/self/mountinfo', 'utf8')), (mountPoint) =>
    readFileSync(join(mountPoint, 'cgroup.controllers'), 'utf8').split(/\s+/).filter(Boolean),
  );
}

/** Where a process or a named cgroup is: by v1 controller, and in the v2 tree under `''`. Host directories. */
export type CgroupDirectories = ReadonlyMap<string, string>;

/** Parses /proc/PID/cgroup (cgroups(7)) against a layout. */
export function directoriesOf(text: string, layout: CgroupLayout): CgroupDirectories {
  const directories = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(.*)$/.exec(line);
    if (!match) continue;
    const [, controllers = '', path = '/'] = match;
    if (controllers === '' && layout.unified !== undefined) directories.set('', join(layout.unified, path));
    for (const controller of controllers.split(',')) {
      const mountPoint = layout.v1.get(controller);
      if (controller !== '' && mountPoint !== undefined) directories.set(controller, join(mountPoint, path));
    }
  }
  return directories;
}

/** The directories of one cgroup path in every hierarchy, whether they exist or not. */
export function directoriesAt(path: string, layout: CgroupLayout): CgroupDirectories {
  const directories = new Map<string, string>();
  for (const [controller, mountPoint] of layout.v1) directories.set(controller, join(mountPoint, path));
  if (layout.unified !== undefined) directories.set('', join(layout.unified, path));
  return directories;
}
