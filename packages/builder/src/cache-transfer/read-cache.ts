import { isDigest } from '@wharf/kit';
import type { Descriptor, ImageConfig, Index, Manifest } from '@wharf/oci/spec/image';
import { isIndexType } from '@wharf/oci/spec/media-types';
import type { RemoteContent } from '../interfaces.ts';
import { MAX_IMPORTED_STEPS } from '../limits.ts';
import { CACHE_CONFIG, type CacheConfig, type CacheRecord, INLINE_CACHE, keyOf } from './cache-config.ts';
import { type FetchTools, readJson } from './fetch-layers.ts';
import type { RemoteStep } from './remote-steps.ts';

type Tools = Pick<FetchTools, 'images' | 'lease' | 'signal'>;

/** What a cache holds for this builder. */
export interface ReadCache {
  readonly steps: ReadonlyMap<string, RemoteStep>;
  /** Records of other builders, which are of no use here. */
  readonly foreign: number;
}

const MAX_DEPTH = 3;

/**
 * Reads the description of a cache: that of a cache manifest, in either form, or what images carry of their own steps. No layer is
 * fetched. An image that carries none is an empty cache. Throws `not-found`, `data-loss`, the registry's errors.
 */
export async function readCache(place: RemoteContent, tools: Tools): Promise<ReadCache> {
  const steps = new Map<string, RemoteStep>();
  let foreign = 0;
  const take = (record: CacheRecord, step: RemoteStep | undefined): void => {
    const key = keyOf(record);
    if (key === undefined || step === undefined) foreign += 1;
    else if (steps.size < MAX_IMPORTED_STEPS) steps.set(key, step);
  };
  await visit(place, { digest: undefined, depth: 0 }, tools, take);
  return { steps, foreign };
}

type Take = (record: CacheRecord, step: RemoteStep | undefined) => void;

async function visit(
  place: RemoteContent,
  at: { readonly digest: Descriptor['digest'] | undefined; readonly depth: number },
  tools: Tools,
  take: Take,
): Promise<void> {
  const { descriptor, bytes } = await place.document(at.digest);
  const document = JSON.parse(bytes.toString('utf8')) as Partial<Index> & Partial<Manifest>;
  if (isIndexType(descriptor.mediaType)) {
    const manifests = document.manifests ?? [];
    const config = manifests.find(({ mediaType }) => mediaType === CACHE_CONFIG);
    if (config !== undefined) {
      takeConfig(await readJson<CacheConfig>(config, place, tools), manifests, place, take);
      return;
    }
    if (at.depth >= MAX_DEPTH) return;
    const images = manifests.filter(({ annotations }) => annotations?.['vnd.docker.reference.type'] === undefined);
    for (const { digest } of images) await visit(place, { digest, depth: at.depth + 1 }, tools, take);
    return;
  }
  const { config, layers = [] } = document;
  if (config === undefined) return;
  if (config.mediaType === CACHE_CONFIG) {
    takeConfig(await readJson<CacheConfig>(config, place, tools), layers, place, take);
    return;
  }
  takeInline(await readJson<ImageConfig & Inline>(config, place, tools), layers, place, take);
}

function takeConfig(
  { layers = [], records = [] }: CacheConfig,
  blobs: readonly Descriptor[],
  place: RemoteContent,
  take: Take,
): void {
  const byDigest = new Map(blobs.map((each) => [each.digest, each]));
  for (const record of records) {
    const [result] = record.layers ?? [];
    const layer = result === undefined ? undefined : layers[result.layer];
    const blob = layer === undefined ? undefined : byDigest.get(layer.blob);
    const { wharf } = record;
    const isWhole = result !== undefined && layer !== undefined && blob !== undefined && wharf !== undefined;
    const diffId = layer?.annotations?.diffID;
    if (!isWhole || diffId === undefined || !isDigest(diffId)) take(record, undefined);
    else {
      const { size: sizeBytes, kind, description, selections = {} } = wharf;
      take(record, { diffId, blob, place, sizeBytes, kind, description, selections, createdAt: result.createdAt });
    }
  }
}

interface Inline {
  readonly [INLINE_CACHE]?: string;
}

function takeInline(
  config: ImageConfig & Inline,
  layers: readonly Descriptor[],
  place: RemoteContent,
  take: Take,
): void {
  const text = config[INLINE_CACHE];
  if (typeof text !== 'string') return;
  const records = JSON.parse(Buffer.from(text, 'base64').toString('utf8')) as readonly CacheRecord[];
  for (const record of records) {
    const [result] = record.layers ?? [];
    const index = result?.layer ?? -1;
    const [blob, diffId] = [layers[index], config.rootfs.diff_ids[index]];
    const { wharf } = record;
    if (result === undefined || blob === undefined || diffId === undefined || wharf === undefined) {
      take(record, undefined);
      continue;
    }
    const { size: sizeBytes, kind, description, selections = {} } = wharf;
    take(record, { diffId, blob, place, sizeBytes, kind, description, selections, createdAt: result.createdAt });
  }
}
