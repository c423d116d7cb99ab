import { mkdirSync } from 'node:fs';
import { bindMount, mount } from '@wharf/linux/mount';
import { mountSnapshot } from '@wharf/oci/snapshots/mount-snapshot';
import type { Mount } from '@wharf/oci/snapshots/snapshotter';
import { inMounts } from '@wharf/oci/workers/root';

/** Where the files of a vertex's result are; an empty tree when neither is given. */
export interface Place {
  readonly mounts?: readonly Mount[];
  readonly directory?: string;
}

/** The source of number `index`, in the world of `inPlaces`. */
export function sourceRoot(index: number): string {
  return `/source-${index}`;
}

export const TARGET_ROOT = '/target';

/** Shows sources, read-only, and a target to this thread, and nothing else; all of it is gone afterwards. */
export function inPlaces<T>(
  sources: readonly Place[],
  target: readonly Mount[] | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const prepare = (): string => {
    // Any directory will do to mount at, as nobody else sees it; /sys is there on every host and not needed here.
    const at = '/sys';
    mount({ source: 'tmpfs', target: at, type: 'tmpfs', data: 'mode=0700,size=64k' });
    if (target !== undefined) {
      mkdirSync(at + TARGET_ROOT);
      mountSnapshot(target, at + TARGET_ROOT);
    }
    for (const [index, place] of sources.entries()) show(place, at + sourceRoot(index));
    return at;
  };
  return inMounts(prepare, work);
}

function show({ mounts, directory }: Place, at: string): void {
  mkdirSync(at);
  if (directory !== undefined) bindMount(directory, at, { readOnly: true });
  else if (mounts !== undefined && mounts.length > 0) mountSnapshot(mounts, at);
}
