import { messageOf } from '@wharf/kit';
import { IN_TOTO } from '@wharf/oci/spec/media-types';
import type { AttestationStatement } from '@wharf/wire/docker/types';
import { isAttestation, REFERENCE_DIGEST } from './documents.ts';
import type { ImagePlatform } from './image-service.ts';
import { bestManifest, findImage } from './resolve.ts';
import type { ImageRoom } from './room.ts';

const PREDICATE_TYPE = 'in-toto.io/predicate-type';

export interface AttestationOptions {
  readonly platform?: ImagePlatform | undefined;
  /** Predicate types wanted; all when empty. */
  readonly types: readonly string[];
  /** Adds the statements themselves. */
  readonly statement: boolean;
}

/** What BuildKit's attestation manifests say of one platform's image. Throws `not-found`. */
export async function imageAttestations(
  room: ImageRoom,
  text: string,
  options: AttestationOptions,
): Promise<readonly AttestationStatement[]> {
  const image = findImage(room, text);
  const subject = (await bestManifest(room, image, options.platform)).descriptor.digest;
  const found: AttestationStatement[] = [];
  for (const { descriptor, manifest } of await room.documents.manifests(image.target)) {
    if (!isAttestation(descriptor) || descriptor.annotations?.[REFERENCE_DIGEST] !== subject) continue;
    for (const layer of manifest?.layers ?? []) {
      const PredicateType = layer.annotations?.[PREDICATE_TYPE] ?? '';
      if (layer.mediaType !== IN_TOTO || (options.types.length > 0 && !options.types.includes(PredicateType))) continue;
      const Statement = options.statement ? await statementOf(room, layer.digest) : undefined;
      found.push({ Descriptor: layer, PredicateType, ...(Statement === undefined ? {} : { Statement }) });
    }
  }
  return found;
}

async function statementOf(
  room: ImageRoom,
  digest: Parameters<ImageRoom['documents']['document']>[0],
): Promise<unknown> {
  try {
    return await room.documents.document(digest);
  } catch (error) {
    room.log.warn({ digest, error: messageOf(error) }, 'an attestation statement cannot be read');
    return undefined;
  }
}
