import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Place } from '../files/places.ts';
import type { Result } from '../solver/tree.ts';

/** Where a worker finds a result. */
export function placeOf(snapshots: Snapshotter, result: Result | undefined): Place {
  if (result === undefined) return {};
  if (result.kind === 'directory') return { directory: result.path, index: result.index };
  const { chainId } = result.tree;
  return chainId === '' ? {} : { mounts: snapshots.mounts(chainId, { readOnly: true }) };
}
