import { randomBytes } from 'node:crypto';
import type { ChainId } from '@wharf/kit';
import { trees } from '@wharf/oci/snapshots/trees';
import { chainIds } from '@wharf/oci/spec/chain-id';
import type { Tree } from '../solver/tree.ts';
import { linkedLayers } from './linked-layers.ts';
import { BUILD_SNAPSHOT, type LayerDeps } from './new-layer.ts';

/**
 * The tree that a layer which was made on nothing gives on a base. Its files are those of the layer under further names, save for those
 * that the base has, too, and the layer stays the same to the byte. For overlayfs, which shows an upper directory on anything.
 */
export async function rebaseLayer(
  { snapshots, images, hold }: Pick<LayerDeps, 'snapshots' | 'images' | 'hold'>,
  layer: Tree,
  base: Tree,
): Promise<Tree> {
  const [own] = layer.layers;
  if (base.chainId === '' || own === undefined || layer.chainId === '') return layer;
  const layers = [...base.layers, own];
  const chainId = chainIds(layers.map(({ diffId }) => diffId)).at(-1) as ChainId;
  const tree = { chainId, layers };
  hold(tree);
  if (snapshots.stat(chainId)?.kind === 'committed') return tree;
  const key = `${BUILD_SNAPSHOT}${randomBytes(16).toString('hex')}`;
  await snapshots.prepare(key, base.chainId);
  try {
    const [from = ''] = snapshots.layerDirs(layer.chainId);
    await trees.link(from, snapshots.layerDir(key), linkedLayers(snapshots, base.chainId, layer.chainId));
    await snapshots.commit(chainId, key, { standalone: true, linked: true });
    images.noteLayer({ descriptor: own.descriptor, chainId });
    return tree;
  } catch (error) {
    await snapshots.remove(key);
    throw error;
  }
}
