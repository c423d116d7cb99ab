import { type ChainId, type DiffId, type Digest, hasErrno, KeyedLock, WharfError } from '@wharf/kit';
import type { ContentStore } from '@wharf/oci/content/content-store';
import { type ReadyLayer, unpackLayers } from '@wharf/oci/layers/unpack';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { chainIds } from '@wharf/oci/spec/chain-id';
import type { Descriptor, Manifest } from '@wharf/oci/spec/image';
import type { Collector } from './collector.ts';
import type { ImageDocuments } from './documents.ts';
import type { LayerSizes } from './layer-sizes.ts';

export interface UnpackerDeps {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly documents: ImageDocuments;
  readonly collector: Collector;
  readonly sizes: LayerSizes;
}

/** Layers that were unpacked ahead of their image. */
export interface LayersAhead {
  /** An active snapshot that is the caller's from now on; `undefined` when there is none for this blob. */
  take(digest: Digest): Promise<ReadyLayer | undefined>;
}

/** Layers, lowest first, and what each must unpack to. */
export interface LayerStack {
  readonly layers: readonly Pick<Descriptor, 'digest'>[];
  readonly diffIds: readonly DiffId[];
}

export interface UnpackChoices {
  readonly ahead?: LayersAhead | undefined;
  /** Only so many layers, from the bottom; all when absent. */
  readonly count?: number | undefined;
}

/**
 * Turns images into committed snapshots, once at a time each: callers that ask for the same stack, or for stacks on the
 * same missing base, wait for each other and then find the work done.
 */
export class Unpacker {
  readonly #deps: UnpackerDeps;
  readonly #locks = new KeyedLock();

  constructor(deps: UnpackerDeps) {
    this.#deps = deps;
  }

  /** Throws `data-loss` for a layer that is not what the config says, `resource-exhausted` on a full disk, `not-found`. */
  async unpack(manifest: Manifest, { ahead, count }: UnpackChoices = {}): Promise<void> {
    const config = await this.#deps.documents.config(manifest.config.digest);
    await this.unpackStack({ layers: manifest.layers, diffIds: config.rootfs.diff_ids }, { ahead, count });
  }

  /** The same for layers of no image. */
  async unpackStack(stack: LayerStack, { ahead, count }: UnpackChoices = {}): Promise<void> {
    const { collector } = this.#deps;
    const { layers, diffIds } = stack;
    if (diffIds.length !== layers.length) {
      throw new WharfError(
        'data-loss',
        `Cannot unpack image: its config names ${diffIds.length} layers, its manifest ${layers.length}`,
      );
    }
    using lease = collector.lease();
    const chain = chainIds(diffIds).slice(0, count);
    for (const chainId of chain) lease.keepSnapshot(chainId);
    for (let missing = this.#firstMissing(chain); missing !== undefined; missing = this.#firstMissing(chain)) {
      await this.#locks.run(missing, () => this.#unpackFrom({ missing, chain, stack, ahead })).catch(rethrow);
    }
  }

  #firstMissing(chain: readonly ChainId[]): ChainId | undefined {
    return chain.find((chainId) => this.#deps.snapshots.stat(chainId)?.kind !== 'committed');
  }

  async #unpackFrom(given: {
    readonly missing: ChainId;
    readonly chain: readonly ChainId[];
    readonly stack: LayerStack;
    readonly ahead: LayersAhead | undefined;
  }): Promise<void> {
    const { missing, chain, stack, ahead } = given;
    // Somebody else may have done it while this waited for the lock.
    if (this.#firstMissing(chain) !== missing) return;
    const { content, snapshots, sizes } = this.#deps;
    const layers = stack.layers.slice(0, chain.length).flatMap(({ digest }, index) => {
      const diffId = stack.diffIds[index];
      return diffId === undefined ? [] : [{ path: content.path(digest), diffId }];
    });
    const made: ChainId[] = [];
    await unpackLayers({
      snapshots,
      layers,
      ready: async (index) => {
        const descriptor = stack.layers[index];
        return descriptor === undefined ? undefined : await ahead?.take(descriptor.digest);
      },
      onLayer: (index) => {
        const chainId = chain[index];
        if (chainId !== undefined) made.push(chainId);
      },
    });
    await Promise.all(made.map((chainId) => sizes.get(chainId)));
  }
}

/** A disk may fill up wherever something is written. */
function rethrow(error: unknown): never {
  if (!hasErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
  throw new WharfError('resource-exhausted', 'Cannot unpack image: no space left on device', { cause: error });
}
