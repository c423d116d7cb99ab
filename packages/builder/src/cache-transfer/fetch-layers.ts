import type { ChainId, DiffId, Digest } from '@wharf/kit';
import { WharfError } from '@wharf/kit';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import { chainIds } from '@wharf/oci/spec/chain-id';
import type { Descriptor } from '@wharf/oci/spec/image';
import type { BuildImages, ImageLease, RemoteContent } from '../interfaces.ts';
import { MAX_REMOTE_DOCUMENT_BYTES } from '../limits.ts';

/** A layer that lies elsewhere, or is here as a snapshot. */
export interface RemoteLayer {
  readonly diffId: DiffId;
  readonly descriptor: Descriptor;
  /** Absent for what is here. */
  readonly place?: RemoteContent;
}

export interface FetchTools {
  readonly images: BuildImages;
  readonly snapshots: Snapshotter;
  readonly lease: ImageLease;
  readonly signal: AbortSignal;
}

/**
 * Makes committed snapshots of a stack of layers, lowest first; only those are fetched that are not there. Throws `not-found` for a blob
 * that is gone, `data-loss` for one that is not what its descriptor says.
 */
export async function fetchLayers(
  layers: readonly RemoteLayer[],
  { images, snapshots, lease, signal }: FetchTools,
): Promise<void> {
  const diffIds = layers.map(({ diffId }) => diffId);
  const chain = chainIds(diffIds) as readonly ChainId[];
  for (const chainId of chain) lease.keepSnapshot(chainId);
  const missing = layers.filter((_, index) => {
    const chainId = chain[index];
    return chainId !== undefined && snapshots.stat(chainId)?.kind !== 'committed';
  });
  if (missing.length === 0) return;
  const fetched = await Promise.allSettled(
    missing.map(async ({ descriptor, place }) => {
      if (place === undefined) throw new WharfError('not-found', `layer ${descriptor.digest} is not here any more`);
      await storeBlob(descriptor, place, { images, lease, signal });
    }),
  );
  for (const each of fetched) if (each.status === 'rejected') throw each.reason;
  await images.unpackStack({ layers: layers.map(({ descriptor }) => descriptor), diffIds });
}

/** Brings a blob into the image store, under the lease. */
export async function storeBlob(
  descriptor: Descriptor,
  place: RemoteContent,
  { images, lease, signal }: Pick<FetchTools, 'images' | 'lease' | 'signal'>,
): Promise<void> {
  const { digest, size } = descriptor;
  if ((await lease.adopt(digest)) !== undefined) return;
  await using writer = await images.content.writer();
  let bytes = 0;
  for await (const chunk of place.blob(descriptor, signal)) {
    bytes += chunk.length;
    if (bytes > size)
      throw new WharfError('data-loss', `blob ${digest} is larger than the ${size} bytes it should have`);
    await writer.write(chunk);
  }
  await lease.commit(writer, { digest, sizeBytes: size });
}

/** A small blob that is JSON. Throws `data-loss` for other bytes than its digest says. */
export async function readJson<T>(
  descriptor: Descriptor,
  place: RemoteContent,
  tools: Pick<FetchTools, 'images' | 'lease' | 'signal'>,
): Promise<T> {
  if (descriptor.size > MAX_REMOTE_DOCUMENT_BYTES) {
    throw new WharfError('resource-exhausted', `Cannot read ${descriptor.digest}: it has ${descriptor.size} bytes`);
  }
  await storeBlob(descriptor, place, tools);
  const bytes = await tools.images.content.read(descriptor.digest as Digest, MAX_REMOTE_DOCUMENT_BYTES);
  return JSON.parse(bytes.toString('utf8')) as T;
}
