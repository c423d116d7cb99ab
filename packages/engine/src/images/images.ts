import {
  type ChainId,
  type Clock,
  type Digest,
  type Filters,
  type Logger,
  lazily,
  type Reference,
  WharfError,
} from '@wharf/kit';
import type { ContentStore } from '@wharf/oci/content/content-store';
import type { Registries } from '@wharf/oci/remote/registries';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Descriptor, Platform } from '@wharf/oci/spec/image';
import type { Store } from '@wharf/store';
import type {
  AttestationStatement,
  ImageDeleteResponseItem,
  ImageHistoryResponseItem,
  ImageInspect,
  ImagePruneResponse,
  ImageSummary,
} from '@wharf/wire/docker/types';
import type { EventBus } from '../events/event-bus.ts';
import type { AttestationOptions } from './attestations.ts';
import type { BuildBase, FoundLayer, pushBuilt, WantedLayer } from './built-images.ts';
import { Collector, type ExtraRoots, type Lease } from './collector.ts';
import { diskUsage, type ImageDiskUsage } from './disk-usage.ts';
import { ImageDocuments } from './documents.ts';
import { imageHistory } from './history.ts';
import type { ImagePlatform, ImageService, ImageUsage } from './image-service.ts';
import type { ImportOptions } from './import.ts';
import { type InspectOptions, inspectImage } from './inspect.ts';
import { LayerSizes } from './layer-sizes.ts';
import { type LazyLayer, LazyLayers } from './lazy-layers.ts';
import { type ListOptions, listImages } from './list.ts';
import type { LoadOptions } from './load.ts';
import { type ImageName, ImageNames } from './names.ts';
import type { TransferOptions } from './pull.ts';
import type { RemoteContent, remoteContent } from './remote-content.ts';
import { type RemoveOptions, removeImage } from './remove.ts';
import { ancestorIds, resolveImage } from './resolve.ts';
import type { ImageRoom } from './room.ts';
import type { SaveOptions } from './save.ts';
import { tagImage } from './tag.ts';
import { type LayerStack, Unpacker } from './unpack.ts';

// Verbs that a daemon may never be asked for come with the first call.
const attestations = lazily(() => import('./attestations.ts'));
const built = lazily(() => import('./built-images.ts'));
const remote = lazily(() => import('./remote-content.ts'));
const commit = lazily(() => import('./commit.ts'));
const importing = lazily(() => import('./import.ts'));
const load = lazily(() => import('./load.ts'));
const prune = lazily(() => import('./prune.ts'));
const pull = lazily(() => import('./pull.ts'));
const push = lazily(() => import('./push.ts'));
const platforms = lazily(() => import('./remove-platforms.ts'));
const save = lazily(() => import('./save.ts'));

export interface ImageServiceDeps {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly store: Store;
  readonly events: EventBus;
  readonly log: Logger;
  readonly clock: Clock;
  readonly dataRoot: string;
  /** The way to registries; without it pull and push are refused. */
  readonly registries?: (() => Promise<Registries>) | undefined;
  /** What others need kept from the first collection on. */
  readonly roots?: (() => ExtraRoots) | undefined;
}

/** All verbs of the room. Texts and shapes are Docker's, in the newest API version. */
export interface Images extends ImageService {
  list(options: ListOptions): Promise<ImageSummary[]>;
  inspect(reference: string, options: InspectOptions): Promise<ImageInspect>;
  history(reference: string, platform?: ImagePlatform): Promise<ImageHistoryResponseItem[]>;
  tag(source: string, reference: Reference): Promise<void>;
  remove(reference: string, options: RemoveOptions): Promise<readonly ImageDeleteResponseItem[]>;
  /** Drops the content of single platforms and keeps the rest. */
  removePlatforms(
    reference: string,
    platforms: readonly ImagePlatform[],
    force: boolean,
  ): Promise<readonly ImageDeleteResponseItem[]>;
  attestations(reference: string, options: AttestationOptions): Promise<readonly AttestationStatement[]>;
  prune(filters: Filters): Promise<ImagePruneResponse>;
  load(options: LoadOptions): Promise<readonly ImageName[]>;
  save(options: SaveOptions): Promise<AsyncGenerator<Buffer>>;
  import(options: ImportOptions): Promise<Digest>;
  pull(options: TransferOptions): Promise<void>;
  push(options: TransferOptions): Promise<void>;
  /** How many images there are, for `info`. */
  count(): number;
  /** For `system df`. */
  diskUsage(): Promise<ImageDiskUsage>;
  /** Content or snapshots that others (a builder's cache) need kept. */
  addRoots(provider: () => ExtraRoots | Promise<ExtraRoots>): void;
  lease(): Lease;
  /** An image to build on, unpacked; `undefined` when it is not here. */
  findBase(reference: string, platform?: Platform): Promise<BuildBase | undefined>;
  /** Gives an image whose documents were put into the store under a lease its names; dangling without any. */
  nameBuilt(target: Descriptor, names: readonly string[]): Promise<void>;
  /** Finds or makes a layer's blob in a form. Throws `not-found`. */
  packLayer(layer: WantedLayer, under: { readonly lease: Lease; readonly signal: AbortSignal }): Promise<FoundLayer>;
  /** Pushes an image that need not have a name here. */
  pushBuilt(options: Parameters<typeof pushBuilt>[2]): Promise<void>;
  /** Makes sure that layers of no image, whose blobs are here, are committed snapshots. Throws `not-found`, `data-loss`. */
  unpackStack(stack: LayerStack): Promise<void>;
  /** Reads of a registry what is asked for. */
  remoteContent(reference: Reference, options: Parameters<typeof remoteContent>[2]): Promise<RemoteContent>;
  /** The snapshots that images stand on. */
  snapshotsInUse(): Promise<ReadonlySet<ChainId>>;
  /** A layer's blob can be made from a snapshot whenever it is asked for. */
  noteLayer(digest: Digest, layer: LazyLayer): void;
  /** Gives back the space of all that nothing refers to. */
  collect(): Promise<void>;
}

/** Opens the room: repairs what a crash left, and collects what was on its way in then. */
export async function createImageService(deps: ImageServiceDeps): Promise<Images> {
  const { content, snapshots, store } = deps;
  const names = new ImageNames(store);
  const lazyLayers = new LazyLayers({ store, content, snapshots });
  const documents = new ImageDocuments(content, (digest) => lazyLayers.has(digest));
  const sizes = new LayerSizes(store, snapshots);
  const sources = store.table<readonly string[]>('blob-sources');
  let usage: () => ImageUsage = () => new Map();
  const collector = new Collector({
    content,
    snapshots,
    documents,
    roots: () => names.list().flatMap(({ target, pushed }) => (pushed === undefined ? [target] : [target, pushed])),
    sizeOf: (chainId) => sizes.get(chainId),
    onSnapshotRemoved: (chainId) => {
      sizes.forget(chainId);
      lazyLayers.forget(chainId);
    },
    make: (digest, lease) => lazyLayers.make(digest, lease),
    onBlobRemoved: (digest) => void sources.delete(digest),
    log: deps.log,
  });
  const unpacker = new Unpacker({ content, snapshots, documents, collector, sizes });
  const room: ImageRoom = {
    ...deps,
    names,
    documents,
    lazyLayers,
    sources,
    collector,
    layerSize: (chainId: ChainId) => sizes.get(chainId),
    layersTogether: (chainIds) => sizes.together(chainIds),
    unpack: (manifest, choices) => unpacker.unpack(manifest, choices),
    unpackStack: (stack) => unpacker.unpackStack(stack),
    usage: () => usage(),
  };
  sizes.recover();
  if (deps.roots !== undefined) collector.addRoots(deps.roots);
  await collector.collect();
  return serviceOf(room, deps.registries, (next) => {
    usage = next;
  });
}

async function need(registries: ImageServiceDeps['registries']): Promise<Registries> {
  if (registries !== undefined) return registries();
  throw new WharfError('failed-precondition', 'Cannot reach a registry: this daemon has no registry client');
}

function serviceOf(
  room: ImageRoom,
  registries: ImageServiceDeps['registries'],
  setUsage: ImageService['setUsage'],
): Images {
  return {
    resolve: (reference, platform) => resolveImage(room, reference, platform),
    async ensureUnpacked(image) {
      const manifest = await room.documents.manifest(image.manifestDigest);
      await room.unpack(manifest);
    },
    commit: async (options) => (await commit()).commitImage(room, options),
    ancestors: async (reference) => ancestorIds(room, reference),
    setUsage,
    list: (options) => listImages(room, options),
    inspect: (reference, options) => inspectImage(room, reference, options),
    history: (reference, platform) => imageHistory(room, reference, platform),
    tag: (source, reference) => tagImage(room, source, reference),
    remove: (reference, options) => removeImage(room, reference, options),
    removePlatforms: async (reference, wanted, force) =>
      (await platforms()).removePlatforms(room, reference, wanted, force),
    attestations: async (reference, options) => (await attestations()).imageAttestations(room, reference, options),
    prune: async (filters) => (await prune()).pruneImages(room, filters),
    load: async (options) => (await load()).loadImages(room, options),
    save: async (options) => (await save()).saveImages(room, options),
    import: async (options) => (await importing()).importImage(room, options),
    pull: async (options) => (await pull()).pullImages(room, await need(registries), options),
    push: async (options) => (await push()).pushImages(room, await need(registries), options),
    count: () => new Set(room.names.list().map((image) => image.target.digest)).size,
    diskUsage: () => diskUsage(room),
    addRoots: (provider) => room.collector.addRoots(provider),
    lease: () => room.collector.lease(),
    findBase: async (reference, platform) => (await built()).findBase(room, reference, platform),
    nameBuilt: async (target, names) => (await built()).nameBuilt(room, target, names),
    packLayer: async (layer, under) => (await built()).packLayer(room, layer, under),
    pushBuilt: async (options) => (await built()).pushBuilt(room, await need(registries), options),
    unpackStack: (stack) => room.unpackStack(stack),
    remoteContent: async (reference, options) =>
      (await remote()).remoteContent(await need(registries), reference, options),
    snapshotsInUse: async () => (await built()).snapshotsInUse(room),
    noteLayer: (digest, layer) => room.lazyLayers.note(digest, layer),
    async collect() {
      await room.collector.collect();
    },
  };
}
