import { randomBytes } from 'node:crypto';
import { type ChainId, type Clock, type Digest, formatRfc3339Nano } from '@wharf/kit';
import { hashLayer } from '@wharf/oci/layers/diff';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { chainIds } from '@wharf/oci/spec/chain-id';
import { OCI_LAYER } from '@wharf/oci/spec/media-types';
import type { BuildImages } from '../interfaces.ts';
import type { MadeTree } from '../solver/operations.ts';
import type { Tree } from '../solver/tree.ts';
import { StepError } from './step-error.ts';

/** What the keys of a builder's active snapshots begin with. */
export const BUILD_SNAPSHOT = 'build-';

export interface LayerDeps {
  readonly snapshots: Snapshotter;
  readonly images: Pick<BuildImages, 'noteLayer'>;
  readonly clock: Clock;
  readonly hold: (tree: Tree) => void;
}

/** What is to be known of a layer later on. */
export interface LayerTraits {
  /** Files of it have further names elsewhere. */
  readonly linked: boolean;
}

/**
 * A tree with one more layer: `work` changes an active snapshot, and what it changed is hashed, not packed; its blob is made when
 * somebody asks for it. On an error nothing is left.
 */
export async function makeLayer(
  deps: LayerDeps,
  base: Tree,
  work: (key: string) => Promise<LayerTraits>,
  signal: AbortSignal,
): Promise<MadeTree> {
  const { snapshots } = deps;
  const key = `${BUILD_SNAPSHOT}${randomBytes(16).toString('hex')}`;
  await snapshots.prepare(key, base.chainId);
  try {
    const traits = await work(key);
    signal.throwIfAborted();
    const { diffId, tarBytes } = await hashLayer({ snapshots, key, signal });
    const descriptor = { mediaType: OCI_LAYER, digest: diffId as string as Digest, size: tarBytes };
    const createdAt = formatRfc3339Nano(deps.clock.nowNs());
    const layers = [...base.layers, { diffId, descriptor, createdAt }];
    const chainId = chainIds(layers.map((layer) => layer.diffId)).at(-1) as ChainId;
    const tree = { chainId, layers };
    deps.hold(tree);
    await snapshots.commit(chainId, key, traits);
    deps.images.noteLayer({ descriptor, chainId });
    return { tree, sizeBytes: tarBytes };
  } catch (error) {
    if (!(error instanceof StepError && error.isHeld)) await snapshots.remove(key);
    throw error;
  }
}
