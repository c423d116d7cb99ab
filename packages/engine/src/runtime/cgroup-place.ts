import { join } from 'node:path';
import { WharfError } from '@wharf/kit';

/** Who makes and removes the control groups of containers. */
export type CgroupDriver = 'cgroupfs' | 'systemd';

export interface CgroupPlace {
  /** Below each hierarchy's mount point. */
  readonly directory: string;
  /** How the runtime is told of it (OCI config-linux.md "Cgroups Path"; with systemd `slice:prefix:name`). */
  readonly specPath: string;
}

const DEFAULT_PARENT = 'wharf';
const DEFAULT_SLICE = 'system.slice';

/**
 * Where a container's control group is. `parent` is the container's own wish, else the daemon's; `undefined` or empty is the default one.
 */
export function cgroupPlace(driver: CgroupDriver, parent: string | undefined, id: string): CgroupPlace {
  if (driver === 'cgroupfs') {
    const directory = join('/', parent || DEFAULT_PARENT, id);
    return { directory, specPath: directory };
  }
  const slice = parent || DEFAULT_SLICE;
  return {
    directory: join('/', expandSlice(slice), `${DEFAULT_PARENT}-${id}.scope`),
    specPath: `${slice}:${DEFAULT_PARENT}:${id}`,
  };
}

/**
 * Checks a parent against the driver. Throws `invalid-argument` in Docker's words. A parent of ours is a path of its own below the root,
 * which `..` leads back to at most; the root itself holds everything of the host.
 */
export function checkCgroupParent(driver: CgroupDriver, parent: string | undefined): void {
  if (!parent) return;
  if (driver === 'systemd') {
    if (/^[^/]+\.slice$/.test(parent) && !/^-|--|-\.slice$/.test(parent)) return;
    throw new WharfError(
      'invalid-argument',
      'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"',
    );
  }
  if (join('/', parent) !== '/' && !parent.includes('\0')) return;
  throw new WharfError('invalid-argument', `invalid cgroup-parent: ${JSON.stringify(parent)}`);
}

/** systemd.slice(5): `a-b.slice` is inside of `a.slice`. */
function expandSlice(slice: string): string {
  const words = slice.slice(0, -'.slice'.length).split('-');
  return words.map((_, index) => `${words.slice(0, index + 1).join('-')}.slice`).join('/');
}
