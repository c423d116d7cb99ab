import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { WharfError } from '@wharf/kit';
import { bindMount, mount } from '@wharf/linux/mount';
import { mountSnapshot } from '@wharf/oci/snapshots/mount-snapshot';
import type { Mount } from '@wharf/oci/snapshots/snapshotter';
import { inMounts } from '@wharf/oci/workers/root';
import { type ContextIndex, indexView, readIndex } from '../sources/context-index.ts';
import { fileSystem, type TreeView } from './tree-view.ts';

/** Where the files of a vertex's result are; an empty tree when neither is given. */
export interface Place {
  readonly mounts?: readonly Mount[];
  readonly directory?: string;
  /** What is in the directory, so that it need not be looked for. */
  readonly index?: string | undefined;
}

/** A layer to be written: its own directory, and what is below it. */
export interface TargetPlace {
  readonly directory: string;
  readonly lower: readonly Mount[];
  /** A directory above this one and above sources, all on one file system: files may be linked from one to the other. */
  readonly shared: string;
  /** Directories of layers below it that have files under links. */
  readonly linked: readonly string[];
}

/** The source of number `index`, in the world of `inPlaces`. */
export function sourceRoot(index: number): string {
  return `/source-${index}`;
}

export const TARGET_ROOT = '/target';
export const LOWER_ROOT = '/lower';
const SHARED_ROOT = '/shared';

/** How to look at places that are shown in the order they come in. To be called outside of `inPlaces`. */
export function viewsOf(places: readonly Place[]): readonly TreeView[] {
  const indexes = new Map<string, ContextIndex>();
  return places.map(({ index }, number) => {
    if (index === undefined) return fileSystem;
    const entries = indexes.get(index) ?? readIndex(index);
    if (entries === undefined) throw new WharfError('internal', `Cannot read a build context: "${index}" is not there`);
    indexes.set(index, entries);
    return indexView(sourceRoot(number), entries);
  });
}

/** Where something below `shared` is found by a path through which it can be linked; `undefined` for what is elsewhere. */
export function sharedPath(shared: string, directory: string): string | undefined {
  const path = relative(shared, directory);
  return path === '' || path.startsWith('..') ? undefined : join(SHARED_ROOT, path);
}

/** Shows sources, read-only, and a target to this thread, and nothing else; all of it is gone afterwards. */
export function inPlaces<T>(
  sources: readonly Place[],
  target: TargetPlace | undefined,
  work: () => Promise<T>,
): Promise<T> {
  const prepare = (): string => {
    // Any directory will do to mount at, as nobody else sees it; /sys is there on every host and not needed here.
    const at = '/sys';
    mount({ source: 'tmpfs', target: at, type: 'tmpfs', data: 'mode=0700,size=64k' });
    if (target !== undefined) {
      show({ directory: target.directory }, at + TARGET_ROOT, false);
      if (target.lower.length > 0) show({ mounts: target.lower }, at + LOWER_ROOT);
      show({ directory: target.shared }, at + SHARED_ROOT, false);
    }
    for (const [index, place] of sources.entries()) show(place, at + sourceRoot(index));
    return at;
  };
  return inMounts(prepare, work);
}

function show({ mounts, directory }: Place, at: string, readOnly = true): void {
  mkdirSync(at);
  if (directory !== undefined) bindMount(directory, at, { readOnly });
  else if (mounts !== undefined && mounts.length > 0) mountSnapshot(mounts, at);
}
