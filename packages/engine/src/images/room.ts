import type { ChainId, Clock, Logger } from '@wharf/kit';
import type { ContentStore } from '@wharf/oci/content/content-store';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Manifest } from '@wharf/oci/spec/image';
import type { Table } from '@wharf/store';
import type { EventBus } from '../events/event-bus.ts';
import type { Collector } from './collector.ts';
import type { ImageDocuments } from './documents.ts';
import type { ImageUsage } from './image-service.ts';
import type { LazyLayers } from './lazy-layers.ts';
import type { ImageNames } from './names.ts';
import type { LayerStack, UnpackChoices } from './unpack.ts';

/** What every verb of the room works with. */
export interface ImageRoom {
  readonly content: ContentStore;
  readonly snapshots: Snapshotter;
  readonly names: ImageNames;
  readonly documents: ImageDocuments;
  readonly lazyLayers: LazyLayers;
  /** Repositories that blobs are known to lie in, by digest. */
  readonly sources: Table<readonly string[]>;
  readonly collector: Collector;
  readonly events: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly dataRoot: string;
  /** Bytes of one unpacked layer, 0 when it is not unpacked. */
  readonly layerSize: (chainId: ChainId) => Promise<number>;
  /** Of several layers together, where what they share counts once. */
  readonly layersTogether: (chainIds: Iterable<ChainId>) => Promise<number>;
  /** Makes sure that all layers of a manifest are committed snapshots; shared by concurrent callers. */
  readonly unpack: (manifest: Manifest, choices?: UnpackChoices) => Promise<void>;
  /** The same for layers of no image. */
  readonly unpackStack: (stack: LayerStack) => Promise<void>;
  readonly usage: () => ImageUsage;
}
