import type { ChainId } from '@wharf/kit';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';

/**
 * The directories of a tree's layers that have files under links, so that what is put on the tree does not get the same files; and that
 * of `also`, if it is one of them.
 */
export function linkedLayers(
  snapshots: Pick<Snapshotter, 'name' | 'stat' | 'layerDirs'>,
  tree: ChainId | '',
  also?: ChainId | '',
): readonly string[] {
  // Where every snapshot is a whole tree, it has copies of what is below.
  if (tree === '' || snapshots.name === 'copy') return [];
  let at: ChainId | '' = tree;
  return snapshots.layerDirs(tree).filter(() => {
    const info = snapshots.stat(at);
    const isMeant = info?.linked === true || at === also;
    at = info?.parent ?? '';
    return isMeant;
  });
}
