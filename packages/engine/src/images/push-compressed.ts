import type { Digest } from '@wharf/kit';
import type { Descriptor, Manifest } from '@wharf/oci/spec/image';
import {
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  IN_TOTO,
  isIndexType,
  isManifestType,
  OCI_LAYER,
  OCI_LAYER_GZIP,
} from '@wharf/oci/spec/media-types';
import type { Lease } from './collector.ts';
import { isAttestation, REFERENCE_DIGEST } from './documents.ts';
import type { ImageRoom } from './room.ts';

const COMPRESSED: Readonly<Record<string, string>> = {
  [OCI_LAYER]: OCI_LAYER_GZIP,
  [DOCKER_LAYER]: DOCKER_LAYER_GZIP,
};

/**
 * What to push in place of an image whose layers a build has left as snapshots: the same image with these layers compressed, stored
 * under the lease. Statements about a manifest follow it to its new digest. Returns `target` itself when there is nothing to compress.
 * Throws `data-loss` for a snapshot that has changed, `resource-exhausted` on a full disk.
 */
export async function compressForPush(
  room: ImageRoom,
  lease: Lease,
  target: Descriptor,
  signal: AbortSignal,
): Promise<Descriptor> {
  if ((await room.content.stat(target.digest)) === undefined) return target;
  if (isManifestType(target.mediaType)) return compressedManifest(room, lease, target, signal);
  return isIndexType(target.mediaType) ? compressedIndex(room, lease, target, signal) : target;
}

async function compressedIndex(
  room: ImageRoom,
  lease: Lease,
  target: Descriptor,
  signal: AbortSignal,
): Promise<Descriptor> {
  const index = await room.documents.index(target.digest);
  const replaced = new Map<string, Descriptor>();
  const images = await Promise.all(
    index.manifests.map(async (each) => {
      if (isAttestation(each)) return each;
      const sent = await compressForPush(room, lease, each, signal);
      if (sent.digest !== each.digest) replaced.set(each.digest, sent);
      return sent;
    }),
  );
  if (replaced.size === 0) return target;
  const manifests = await Promise.all(
    images.map(async (each) => (isAttestation(each) ? followingStatements(room, lease, each, replaced) : each)),
  );
  return stored(lease, target, { ...index, manifests });
}

async function compressedManifest(
  room: ImageRoom,
  lease: Lease,
  target: Descriptor,
  signal: AbortSignal,
): Promise<Descriptor> {
  const manifest = await room.documents.manifest(target.digest);
  const layers = await Promise.all(manifest.layers.map((layer) => compressed(room, lease, layer, signal)));
  if (layers.every((layer, index) => layer === manifest.layers[index])) return target;
  return stored(lease, target, { ...manifest, layers });
}

async function compressed(room: ImageRoom, lease: Lease, layer: Descriptor, signal: AbortSignal): Promise<Descriptor> {
  const mediaType = COMPRESSED[layer.mediaType];
  if (mediaType === undefined) return layer;
  const blob = await room.lazyLayers.packed(layer.digest, { compression: 'gzip' }, { lease, signal });
  return blob === undefined ? layer : { ...layer, mediaType, digest: blob.digest, size: blob.sizeBytes };
}

/** An attestation manifest whose subject has another digest now (BuildKit, attestation-storage.md). */
async function followingStatements(
  room: ImageRoom,
  lease: Lease,
  descriptor: Descriptor,
  replaced: ReadonlyMap<string, Descriptor>,
): Promise<Descriptor> {
  const before = descriptor.annotations?.[REFERENCE_DIGEST] ?? '';
  const subject = replaced.get(before);
  if (subject === undefined || (await room.content.stat(descriptor.digest)) === undefined) return descriptor;
  const manifest = await room.documents.manifest(descriptor.digest);
  const layers = await Promise.all(
    manifest.layers.map(async (layer) => {
      if (layer.mediaType !== IN_TOTO) return layer;
      const statement = restated(await room.documents.document(layer.digest), before, subject.digest);
      return stored(lease, layer, statement);
    }),
  );
  const { digest, size, mediaType } = subject;
  const about = manifest.subject === undefined ? {} : { subject: { mediaType, digest, size } };
  const annotations = { ...descriptor.annotations, [REFERENCE_DIGEST]: subject.digest };
  const document: Manifest = { ...manifest, layers, ...about };
  return { ...(await stored(lease, descriptor, document)), annotations };
}

/** A statement about what had the digest `before`. */
function restated(statement: unknown, before: string, now: Digest): unknown {
  const { subject } = statement as { readonly subject?: unknown };
  if (!Array.isArray(subject)) return statement;
  const [algorithm = '', hex = ''] = before.split(':');
  const [, next = ''] = now.split(':');
  const subjects = subject.map((each: { readonly digest?: Readonly<Record<string, string>> }) =>
    each.digest?.[algorithm] === hex ? { ...each, digest: { ...each.digest, [algorithm]: next } } : each,
  );
  return { ...(statement as object), subject: subjects };
}

async function stored(lease: Lease, like: Descriptor, document: unknown): Promise<Descriptor> {
  const { digest, sizeBytes } = await lease.put(Buffer.from(JSON.stringify(document)));
  return { ...like, digest, size: sizeBytes };
}
