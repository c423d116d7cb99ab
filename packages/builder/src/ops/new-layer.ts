import { randomBytes } from 'node:crypto';
import { type ChainId, type Clock, formatRfc3339Nano } from '@wharf/kit';
import { diffLayer } from '@wharf/oci/layers/diff';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { chainIds } from '@wharf/oci/spec/chain-id';
import { OCI_LAYER } from '@wharf/oci/spec/media-types';
import type { BuildImages } from '../interfaces.ts';
import type { MadeTree } from '../solver/operations.ts';
import type { Tree } from '../solver/tree.ts';

export interface LayerDeps {
  readonly snapshots: Snapshotter;
  readonly images: Pick<BuildImages, 'noteLayer'>;
  readonly clock: Clock;
  readonly hold: (tree: Tree) => void;
}

/**
 * A tree with one more layer: `work` changes an active snapshot, and what it changed is hashed, not packed; its blob is made when
 * somebody asks for it. On an error nothing is left.
 * @param placeholders names that mounts made in the tree, to be left out where they are empty
 */
export async function makeLayer(
  deps: LayerDeps,
  base: Tree,
  work: (key: string) => Promise<{ readonly placeholders?: readonly string[] }>,
  signal: AbortSignal,
): Promise<MadeTree> {
  const { snapshots } = deps;
  const key = `build-${randomBytes(16).toString('hex')}`;
  await snapshots.prepare(key, base.chainId);
  try {
    const { placeholders } = await work(key);
    signal.throwIfAborted();
    const { diffId, digest, tarBytes } = await diffLayer({
      ...{ snapshots, key, placeholders, signal },
      compression: 'none',
      write: () => {},
    });
    const descriptor = { mediaType: OCI_LAYER, digest, size: tarBytes };
    const createdAt = formatRfc3339Nano(deps.clock.nowNs());
    const layers = [...base.layers, { diffId, descriptor, createdAt }];
    const chainId = chainIds(layers.map((layer) => layer.diffId)).at(-1) as ChainId;
    const tree = { chainId, layers };
    deps.hold(tree);
    await snapshots.commit(chainId, key);
    deps.images.noteLayer({ descriptor, chainId, placeholders: placeholders ?? [] });
    return { tree, sizeBytes: tarBytes };
  } catch (error) {
    await snapshots.remove(key);
    throw error;
  }
}
