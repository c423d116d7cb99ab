import { Semaphore } from '@wharf/kit';
import { chainIds } from '@wharf/oci/spec/chain-id';
import type { Descriptor, Index, Manifest } from '@wharf/oci/spec/image';
import {
  DOCKER_INDEX,
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  OCI_INDEX,
  OCI_LAYER,
  OCI_LAYER_GZIP,
  OCI_LAYER_ZSTD,
  OCI_MANIFEST,
} from '@wharf/oci/spec/media-types';
import type { LayerForm } from '../interfaces.ts';
import { MAX_PACKED_LAYERS } from '../limits.ts';
import type { BuildResult, ExportTools } from '../result.ts';
import { CACHE_CONFIG, type CacheConfig, type CacheLayer, type CacheRecord } from './cache-config.ts';
import { storeBlob } from './fetch-layers.ts';
import { recordOf, stepsOf } from './inline-cache.ts';
import type { RemoteSteps } from './remote-steps.ts';
import type { StepRecorder, StepResult } from './step-recorder.ts';

/** How a cache is written (BuildKit, "Cache exporters"). */
export interface CacheForm {
  /** The steps of the result only, or all that the build went through. */
  readonly mode: 'min' | 'max';
  /** One manifest whose layers are the cache's, or an index of them, as BuildKit made it at first. */
  readonly imageManifest: boolean;
  readonly oci: boolean;
  readonly layers: LayerForm;
  /** Layers in another compression are compressed anew. */
  readonly force: boolean;
}

type Tools = Pick<ExportTools, 'images' | 'lease' | 'signal'>;

const MEDIA_TYPES = {
  oci: { none: OCI_LAYER, gzip: OCI_LAYER_GZIP, zstd: OCI_LAYER_ZSTD },
  docker: { none: DOCKER_LAYER, gzip: DOCKER_LAYER_GZIP, zstd: DOCKER_LAYER_ZSTD },
} as const;

/** A cache in the image store. */
export interface WrittenCache {
  /** The document that names all of it. */
  readonly target: Descriptor;
  /** Everything, what names others after what it names. */
  readonly parts: readonly Descriptor[];
}

/** Puts a cache of the build's steps into the image store, under the lease. */
export async function writeCache(
  { platforms }: BuildResult,
  from: { readonly recorder: StepRecorder; readonly remote: RemoteSteps | undefined },
  form: CacheForm,
  tools: Tools,
): Promise<WrittenCache> {
  const all = from.recorder.steps;
  const steps = form.mode === 'max' ? all : stepsOf(platforms, all);
  const writer = new CacheWriter(form, from.remote, tools);
  await writer.pack(steps);
  const records: CacheRecord[] = [];
  for (const step of steps) records.push(recordOf(step, writer.layerOf(step)));
  const { lease } = tools;
  const document: CacheConfig = { layers: writer.layers, records };
  const stored = await lease.put(json(document));
  const config: Descriptor = { mediaType: CACHE_CONFIG, digest: stored.digest, size: stored.sizeBytes };
  const blobs = writer.blobs;
  const mediaType = form.imageManifest ? OCI_MANIFEST : form.oci ? OCI_INDEX : DOCKER_INDEX;
  const manifest: Manifest | Index = form.imageManifest
    ? { schemaVersion: 2, mediaType, config, layers: blobs }
    : { schemaVersion: 2, mediaType, manifests: [...blobs, config] };
  const root = await lease.put(json(manifest));
  const target = { mediaType, digest: root.digest, size: root.sizeBytes };
  return { target, parts: [...blobs, config, target] };
}

/** The list of layers, each once, with the one it lies on. */
class CacheWriter {
  readonly #form: CacheForm;
  readonly #remote: RemoteSteps | undefined;
  readonly #tools: Tools;
  readonly #places = new Map<string, number>();
  readonly #blobs = new Map<string, Descriptor>();
  /** Blobs of layers, by their chain ids. */
  readonly #packed = new Map<string, Descriptor>();
  readonly layers: CacheLayer[] = [];

  constructor(form: CacheForm, remote: RemoteSteps | undefined, tools: Tools) {
    this.#form = form;
    this.#remote = remote;
    this.#tools = tools;
  }

  /** The blobs of all layers, each once. */
  get blobs(): readonly Descriptor[] {
    return [...this.#blobs.values()];
  }

  /** Finds or makes the blobs of all layers, several at once. */
  async pack(steps: readonly StepResult[]): Promise<void> {
    const wanted = new Map<string, Descriptor>();
    for (const { tree } of steps) {
      for (const [index, chainId] of chainIds(tree.layers.map(({ diffId }) => diffId)).entries()) {
        const descriptor = tree.layers[index]?.descriptor;
        if (descriptor !== undefined) wanted.set(chainId, descriptor);
      }
    }
    const slots = new Semaphore(MAX_PACKED_LAYERS);
    const packing = [...wanted].map(([chainId, descriptor]) =>
      slots.run(async () => this.#packed.set(chainId, await this.#blob(chainId, descriptor))),
    );
    for (const each of await Promise.allSettled(packing)) if (each.status === 'rejected') throw each.reason;
  }

  /** The place of a step's topmost layer, which is written with all below it. */
  layerOf({ tree }: StepResult): number {
    const chain = chainIds(tree.layers.map(({ diffId }) => diffId));
    let parent = -1;
    for (const [index, layer] of tree.layers.entries()) {
      const chainId = chain[index] ?? '';
      let place = this.#places.get(chainId);
      if (place === undefined) {
        const blob = this.#packed.get(chainId) ?? layer.descriptor;
        place = this.layers.length;
        this.#places.set(chainId, place);
        const { digest, size, mediaType } = blob;
        const createdAt = layer.createdAt ?? '1970-01-01T00:00:00Z';
        this.layers.push({ blob: digest, parent, annotations: { mediaType, diffID: layer.diffId, size, createdAt } });
        this.#blobs.set(digest, blob);
      }
      parent = place;
    }
    return parent;
  }

  async #blob(chainId: string, descriptor: Descriptor): Promise<Descriptor> {
    const { images, lease, signal } = this.#tools;
    const { layers: form, force, oci } = this.#form;
    // What another cache promised and nobody needed is carried over as it is.
    const promised = this.#remote?.blobOf(chainId);
    if (promised !== undefined) {
      await storeBlob(promised.blob, promised.place, this.#tools);
      return promised.blob;
    }
    const packed = await images.packLayer({ descriptor, form, force }, { lease, signal });
    const mediaType = MEDIA_TYPES[oci ? 'oci' : 'docker'][packed.compression];
    return { mediaType, digest: packed.digest, size: packed.sizeBytes };
  }
}

function json(document: object): Uint8Array {
  return Buffer.from(JSON.stringify(document));
}
