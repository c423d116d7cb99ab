import type { ChainId, DiffId, Digest } from '@wharf/kit';
import { type Logger, messageOf, WharfError } from '@wharf/kit';
import { hashLayer } from '@wharf/oci/layers/diff';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { chainIds } from '@wharf/oci/spec/chain-id';
import type { Descriptor } from '@wharf/oci/spec/image';
import { OCI_LAYER } from '@wharf/oci/spec/media-types';
import type { BuildImages, ImageLease, RemoteContent } from '../interfaces.ts';
import type { BuildCache } from '../solver/cache.ts';
import type { RemoteCache } from '../solver/remote-cache.ts';
import type { Tree } from '../solver/tree.ts';
import { fetchLayers, type RemoteLayer } from './fetch-layers.ts';

/** A step that another builder of our kind has run: the layer it made. */
export interface RemoteStep {
  readonly diffId: DiffId;
  /** The blob, as it lies there. */
  readonly blob: Descriptor;
  readonly place: RemoteContent;
  /** Of the layer's archive, in bytes. */
  readonly sizeBytes: number;
  readonly createdAt: string;
  readonly kind: 'run' | 'file';
  readonly description: string;
  /** Of a COPY: digests of what it takes from trees, by what it takes. */
  readonly selections: Readonly<Record<string, string>>;
}

export interface RemoteStepsDeps {
  readonly cache: BuildCache;
  readonly snapshots: Snapshotter;
  readonly images: BuildImages;
  readonly lease: ImageLease;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Shows a client what is fetched. */
  readonly show?: (<T>(title: string, work: () => Promise<T>) => Promise<T>) | undefined;
}

interface Promised {
  readonly key: string;
  readonly step: RemoteStep;
  readonly parent: string;
  readonly tree: Tree;
}

/**
 * Steps that imported caches promise. Only the description of a cache is read beforehand; a layer is fetched when a step that runs, or the
 * result, needs it. What was fetched belongs to the own cache from then on.
 */
export class RemoteSteps implements RemoteCache {
  readonly #deps: RemoteStepsDeps;
  readonly #steps: ReadonlyMap<string, RemoteStep>;
  /** Trees that were promised and are not here, by their chain ids. */
  readonly #promised = new Map<string, Promised>();
  readonly #fetching = new Map<string, Promise<boolean>>();
  readonly #selections: ReadonlyMap<string, string>;

  constructor(deps: RemoteStepsDeps, steps: ReadonlyMap<string, RemoteStep>) {
    this.#deps = deps;
    this.#steps = steps;
    this.#selections = new Map([...steps.values()].flatMap(({ selections }) => Object.entries(selections)));
  }

  selection(key: string): string | undefined {
    return this.#selections.get(key);
  }

  find(key: string, base: Tree): Tree | undefined {
    const step = this.#steps.get(key);
    if (step === undefined) return undefined;
    const { diffId, sizeBytes, createdAt } = step;
    const descriptor = { mediaType: OCI_LAYER, digest: diffId as string as Digest, size: sizeBytes };
    const layers = [...base.layers, { diffId, descriptor, createdAt }];
    const chainId = chainIds(layers.map((layer) => layer.diffId)).at(-1) as ChainId;
    const tree = { chainId, layers };
    this.#promised.set(chainId, { key, step, parent: base.chainId, tree });
    return tree;
  }

  isHere({ chainId }: Tree): boolean {
    return !this.#promised.has(chainId);
  }

  fetch(tree: Tree): Promise<boolean> {
    const { chainId } = tree;
    if (this.isHere(tree)) return Promise.resolve(true);
    const fetching = this.#fetching.get(chainId) ?? this.#fetch(tree).finally(() => this.#fetching.delete(chainId));
    this.#fetching.set(chainId, fetching);
    return fetching;
  }

  /** The blob of a layer that was promised and not fetched. */
  blobOf(chainId: string): Pick<RemoteStep, 'blob' | 'place'> | undefined {
    return this.#promised.get(chainId)?.step;
  }

  async #fetch(tree: Tree): Promise<boolean> {
    const { log, signal } = this.#deps;
    const chain = chainIds(tree.layers.map(({ diffId }) => diffId));
    const promised = chain.flatMap((chainId) => this.#promised.get(chainId) ?? []);
    try {
      const layers = tree.layers.map(({ diffId, descriptor }, index): RemoteLayer => {
        const step = this.#promised.get(chain[index] ?? '')?.step;
        return step === undefined ? { diffId, descriptor } : { diffId, descriptor: step.blob, place: step.place };
      });
      const { show = (_title, work) => work() } = this.#deps;
      await show(`fetching ${promised.length} layers of an imported cache`, async () => {
        await fetchLayers(layers, this.#deps);
        for (const each of promised) await this.#keep(each);
      });
      return true;
    } catch (error) {
      signal.throwIfAborted();
      log.info({ err: messageOf(error) }, 'a step that an imported cache promised is run instead');
      return false;
    }
  }

  /** The layer is the own cache's from now on, when its archive can be made again of its files. */
  async #keep({ key, step, parent, tree }: Promised): Promise<void> {
    const { cache, images, snapshots, signal } = this.#deps;
    const { chainId } = tree;
    const descriptor = tree.layers.at(-1)?.descriptor;
    if (chainId === '' || descriptor === undefined || this.isHere(tree)) return;
    const { diffId, tarBytes } = await hashLayer({ snapshots, key: chainId, signal });
    if (diffId !== step.diffId || tarBytes !== step.sizeBytes) {
      throw new WharfError('data-loss', `Cannot use layer ${step.diffId}: its files do not give its archive again`);
    }
    images.noteLayer({ descriptor, chainId });
    const { kind, description, sizeBytes } = step;
    cache.keep(key, { tree, sizeBytes, parent, description, kind });
    this.#promised.delete(chainId);
  }
}
