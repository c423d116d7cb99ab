import { createHash } from 'node:crypto';
import { type Digest, formatFamiliar, isDigest, parseDigest, splitDigest, WharfError } from '@wharf/kit';
import { readReply } from '@wharf/wire/http/read-reply';
import type { Descriptor } from '../spec/image.ts';
import {
  DOCKER_INDEX,
  DOCKER_MANIFEST,
  isIndexType,
  isManifestType,
  OCI_INDEX,
  OCI_MANIFEST,
} from '../spec/media-types.ts';
import type { HostAnswer } from './connection.ts';
import { MANIFEST_BYTES } from './limits.ts';
import { statusOf } from './registry-error.ts';
import { digestHeader, type RemoteRepository } from './repository.ts';

const ACCEPT = [DOCKER_MANIFEST, DOCKER_INDEX, OCI_MANIFEST, OCI_INDEX, '*/*'].join(', ');
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+(?:json|prettyjws)$/;

/** A manifest or index with its bytes as the registry keeps them. */
export interface RemoteDocument {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
}

/**
 * Finds what a tag or digest names. The digest is the registry's word until `fetchDocument` has seen the bytes. Throws `not-found`
 * (`…: not found`), `invalid-argument` for schema 1, or the registry's error.
 */
export async function resolve(repository: RemoteRepository, signal?: AbortSignal): Promise<Descriptor> {
  const { reference } = repository;
  const name = reference.digest ?? reference.tag ?? '';
  const call = { method: 'HEAD', to: `manifests/${name}`, headers: { accept: ACCEPT }, signal } as const;
  const found = await repository
    .firstOf('resolve', call, async (answer) => {
      answer.body.resume();
      const digest = reference.digest ?? digestHeader(answer);
      const size = Number(answer.headers['content-length'] ?? Number.NaN);
      const mediaType = mediaTypeOf(answer);
      refuseSchema1(mediaType, formatFamiliar(reference));
      if (digest === undefined || !Number.isSafeInteger(size) || !isKnownType(mediaType)) return undefined;
      if (size > MANIFEST_BYTES) throw tooLarge(digest, size);
      return { mediaType, digest, size };
    })
    .catch((error: unknown) => {
      // An answer to HEAD has no document that says why.
      const isTold = error instanceof WharfError && error.code === 'token-refused';
      if (signal?.aborted === true || isTold || !HAS_MORE_TO_SAY.has(statusOf(error) ?? 0)) throw error;
      return undefined;
    });
  // A registry that does not say it in the head says it in the document.
  return found ?? (await fetchDocument(repository, name, { signal })).descriptor;
}

const HAS_MORE_TO_SAY = new Set([400, 401, 403, 405, 429]);

/** Fetches a manifest or index by tag or digest and checks it. Throws `data-loss` for wrong content, `resource-exhausted` beyond 4 MiB. */
export async function fetchDocument(
  repository: RemoteRepository,
  name: string,
  options: { readonly expected?: Descriptor | undefined; readonly signal?: AbortSignal | undefined } = {},
): Promise<RemoteDocument> {
  const { expected, signal } = options;
  const call = { method: 'GET', to: `manifests/${name}`, headers: { accept: ACCEPT }, signal } as const;
  return repository.firstOf('pull', call, async (answer) => {
    const bytes = await readReply(answer.body, MANIFEST_BYTES);
    const wanted = expected?.digest ?? (isDigest(name) ? name : digestHeader(answer));
    const digest = digestOf(bytes, wanted);
    if (wanted !== undefined && digest !== wanted) {
      throw new WharfError('data-loss', `unexpected digest of manifest ${name}: expected ${wanted}, got ${digest}`);
    }
    const mediaType = documentType(bytes, mediaTypeOf(answer), expected?.mediaType);
    refuseSchema1(mediaType, formatFamiliar(repository.reference));
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  });
}

function tooLarge(digest: Digest, size: number): WharfError {
  return new WharfError('resource-exhausted', `manifest ${digest} has ${size} bytes, the limit is ${MANIFEST_BYTES}`);
}

function isKnownType(mediaType: string): boolean {
  return isManifestType(mediaType) || isIndexType(mediaType);
}

function mediaTypeOf(answer: HostAnswer): string {
  return (answer.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
}

function digestOf(bytes: Buffer, like: Digest | undefined): Digest {
  const algorithm = like === undefined ? 'sha256' : splitDigest(like).algorithm;
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`);
}

/** The document's own word, else the answer's, else what its form says: registries get the header wrong. */
function documentType(bytes: Buffer, header: string, expected: string | undefined): string {
  let parsed: Readonly<Record<string, unknown>>;
  try {
    parsed = JSON.parse(bytes.toString('utf8')) as Readonly<Record<string, unknown>>;
  } catch (cause) {
    throw new WharfError('data-loss', 'the manifest is not JSON', { cause });
  }
  if (typeof parsed !== 'object' || parsed === null)
    throw new WharfError('data-loss', 'the manifest is no JSON object');
  if (parsed['schemaVersion'] === 1) return 'application/vnd.docker.distribution.manifest.v1+json';
  const own = parsed['mediaType'];
  const [isManifest, isIndex] = [parsed['config'] !== undefined, Array.isArray(parsed['manifests'])];
  if (isManifest && isIndex) throw new WharfError('data-loss', 'the document claims to be a manifest and an index');
  for (const type of [own, header, expected]) {
    if (typeof type !== 'string' || !isKnownType(type)) continue;
    if (isIndexType(type) === isIndex) return type;
  }
  if (isIndex) return OCI_INDEX;
  if (isManifest) return OCI_MANIFEST;
  throw new WharfError('data-loss', `unsupported manifest media type "${typeof own === 'string' ? own : header}"`);
}

function refuseSchema1(mediaType: string, name: string): void {
  if (!SCHEMA_1.test(mediaType)) return;
  throw new WharfError(
    'invalid-argument',
    `Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. Suggest the author of ${name} to upgrade the image to the OCI Format or Docker Image manifest v2, schema 2. More information at https://docs.docker.com/go/deprecated-image-specs/`,
    { code: 'schema1' },
  );
}
