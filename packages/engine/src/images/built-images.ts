import {
  type ChainId,
  type DiffId,
  type Digest,
  formatCanonical,
  formatFamiliar,
  isKind,
  parseReference,
  type Reference,
  WharfError,
  withDefaultTag,
} from '@wharf/kit';
import { compress, decompress } from '@wharf/oci/layers/compression';
import type { Registries } from '@wharf/oci/remote/registries';
import { chainIds } from '@wharf/oci/spec/chain-id';
import type { Descriptor, Platform } from '@wharf/oci/spec/image';
import { announceName } from './announce.ts';
import type { Lease } from './collector.ts';
import type { ResolvedImage } from './image-service.ts';
import type { LayerForm } from './lazy-layers.ts';
import { danglingName } from './names.ts';
import type { TransferOptions } from './pull.ts';
import { pushTarget } from './push.ts';
import { resolveImage } from './resolve.ts';
import type { ImageRoom } from './room.ts';
import { nameImage } from './tag.ts';

/** An image to build on: unpacked, with the descriptors of its layers. */
export interface BuildBase {
  readonly image: ResolvedImage;
  readonly layers: readonly Descriptor[];
}

/** Finds an image in the store and unpacks it. `undefined` when it is not there, for that platform if one is given. */
export async function findBase(
  room: ImageRoom,
  reference: string,
  platform?: Platform,
): Promise<BuildBase | undefined> {
  try {
    const image = await resolveImage(room, reference, platform);
    const manifest = await room.documents.manifest(image.manifestDigest);
    await room.unpack(manifest);
    return { image, layers: manifest.layers };
  } catch (error) {
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  }
}

/** Gives a built image, whose documents are in the store, its names, durably; it is dangling without any. */
export async function nameBuilt(room: ImageRoom, target: Descriptor, names: readonly string[]): Promise<void> {
  const references = names.map((name) => withDefaultTag(parseReference(name)));
  announceName(room, 'create', target.digest, target.digest);
  if (references.length === 0) await nameImage(room, { target, name: danglingName(target.digest) });
  for (const reference of references) {
    await nameImage(room, { target, name: formatCanonical(reference), event: formatFamiliar(reference) });
  }
}

/** A layer's blob, as an exporter wants it. */
export interface WantedLayer {
  readonly descriptor: Descriptor;
  readonly form: LayerForm;
  /** What is there already in another compression is compressed anew. */
  readonly force: boolean;
}

/** What a layer's blob is. */
export interface FoundLayer {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** Where the form made another layer of it. */
  readonly diffId?: DiffId;
}

/**
 * Finds or makes a layer's blob under the lease. A layer that a build made takes the form; one that came with an image stays as it is,
 * unless forced. Throws `not-found` for a blob that is not here and cannot be made.
 */
export async function packLayer(
  room: ImageRoom,
  { descriptor, form, force }: WantedLayer,
  { lease, signal }: { readonly lease: Lease; readonly signal: AbortSignal },
): Promise<FoundLayer> {
  const packed = await room.lazyLayers.packed(descriptor.digest, form, { lease, signal });
  if (packed !== undefined) return { ...packed, compression: form.compression };
  const there = await lease.adopt(descriptor.digest);
  if (there === undefined) {
    throw new WharfError('not-found', `content digest ${descriptor.digest}: not found`);
  }
  const compression = compressionOf(descriptor);
  if (!force || compression === form.compression) return { ...there, compression };
  await using writer = await room.content.writer();
  const source = decompress(await room.content.open(descriptor.digest), compression);
  for await (const chunk of compress(source, form)) {
    signal.throwIfAborted();
    await writer.write(chunk);
  }
  return { ...(await lease.commit(writer)), compression: form.compression };
}

function compressionOf({ mediaType }: Descriptor): 'none' | 'gzip' | 'zstd' {
  if (/[+.]gzip$/.test(mediaType)) return 'gzip';
  return /[+.]zstd$/.test(mediaType) ? 'zstd' : 'none';
}

/** Pushes an image that need not have a name here. Throws with dockerd's words. */
export async function pushBuilt(
  room: ImageRoom,
  registries: Registries,
  options: Omit<TransferOptions, 'platform'> & {
    readonly target: Descriptor;
    /** By its digest alone, under no tag. */
    readonly byDigest: boolean;
    /** The registry may be spoken to without a trusted certificate, or without any. */
    readonly insecure: boolean;
  },
): Promise<void> {
  const { byDigest, target } = options;
  using lease: Lease = room.collector.lease();
  // Layers of images that were pulled may be mounted from where they came from; the rest must be here.
  for (const { digest } of await room.documents.reachable(target)) await lease.adopt(digest);
  const named = withDefaultTag(options.reference);
  const { tag: _, ...untagged } = named;
  const reference: Reference = byDigest ? untagged : named;
  await pushTarget(room, registries, { ...options, reference });
}

/** Every snapshot that some image stands on. */
export async function snapshotsInUse(room: ImageRoom): Promise<ReadonlySet<ChainId>> {
  const inUse = new Set<ChainId>();
  for (const { target } of room.names.list()) {
    for (const { manifest } of await room.documents.manifests(target)) {
      const config = manifest === undefined ? undefined : await room.documents.configIfPresent(manifest.config.digest);
      for (const chainId of chainIds(config?.rootfs.diff_ids ?? [])) inUse.add(chainId);
    }
  }
  return inUse;
}
