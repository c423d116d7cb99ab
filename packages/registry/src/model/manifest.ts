import { type Digest, isDigest } from '@wharf/kit';
import { DOCKER_INDEX, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '@wharf/oci/spec/media-types';
import { registryError } from '../errors.ts';
import { MAX_DESCRIPTORS, MAX_KEPT_ANNOTATIONS } from '../limits.ts';

/** What a manifest names. */
export interface Descriptor {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** A manifest as far as the registry looks into it. */
export interface ParsedManifest {
  readonly mediaType: string;
  /** Blobs that must be here. */
  readonly blobs: readonly Descriptor[];
  /** Manifests that must be here. */
  readonly children: readonly Descriptor[];
  readonly subject: Digest | undefined;
  readonly artifactType: string | undefined;
  readonly annotations: Readonly<Record<string, string>> | 'long' | undefined;
}

const KNOWN = new Set([OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_INDEX]);
const SCHEMA_1 = /^application\/vnd\.docker\.distribution\.manifest\.v1\+/;
/** Layers that may be elsewhere (image-spec, "Non-Distributable Layers"). */
const ELSEWHERE = /nondistributable|\.foreign\./;

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads a manifest of any media type: those of OCI and Docker with their rules, others for the descriptors in the usual places. Throws
 * `MANIFEST_INVALID`. `contentType` is the header, parameters and all; without one the document's own `mediaType` counts.
 */
export function parseManifest(bytes: Uint8Array, contentType: string | undefined): ParsedManifest {
  const document = readDocument(bytes);
  const own = optionalText(document, 'mediaType');
  const declared = contentType?.split(';')[0]?.trim().toLowerCase();
  const mediaType = declared === undefined || declared === '' ? (own ?? guessMediaType(document)) : declared;
  if (own !== undefined && own.toLowerCase() !== mediaType.toLowerCase())
    throw invalid(`the manifest says it is ${own}, the Content-Type header says ${mediaType}`);
  if (SCHEMA_1.test(mediaType)) throw invalid('manifests of schema 1 are not supported');
  if (KNOWN.has(mediaType) && document['schemaVersion'] !== 2) throw invalid('schemaVersion is not 2');
  if ((mediaType === OCI_MANIFEST || mediaType === DOCKER_MANIFEST) && !isObject(document['config']))
    throw invalid('an image manifest needs a config');
  if (mediaType === OCI_MANIFEST && document['layers'] === undefined) throw invalid('an image manifest needs layers');
  const isIndex = mediaType === OCI_INDEX || mediaType === DOCKER_INDEX;
  if (isIndex && document['manifests'] === undefined) throw invalid('an index needs manifests');
  const config = document['config'] === undefined ? [] : [descriptor(document['config'], 'config')];
  const layers = [...descriptors(document, 'layers', (each) => !isElsewhere(each)), ...descriptors(document, 'blobs')];
  const children = descriptors(document, 'manifests');
  if (config.length + layers.length + children.length > MAX_DESCRIPTORS) throw invalid('too many descriptors');
  const subject = document['subject'] === undefined ? undefined : descriptor(document['subject'], 'subject').digest;
  return {
    mediaType,
    blobs: [...config, ...layers],
    children,
    subject,
    artifactType: artifactTypeOf(document, isIndex),
    annotations: subject === undefined ? undefined : keptAnnotations(annotationsOf(document)),
  };
}

/** The annotations of a stored manifest, for a listing that did not keep them. */
export function readAnnotations(bytes: Uint8Array): Readonly<Record<string, string>> {
  return annotationsOf(readDocument(bytes)) ?? {};
}

function readDocument(bytes: Uint8Array): Json {
  let document: unknown;
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw registryError('MANIFEST_INVALID', 'the manifest is no JSON document', { cause });
  }
  if (!isObject(document)) throw invalid('the manifest is no JSON object');
  return document;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function optionalText(document: Json, name: string): string | undefined {
  const value = document[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || value.length > 255) throw invalid(`${name} is no text, or too long`);
  return value;
}

function guessMediaType(document: Json): string {
  if (document['manifests'] !== undefined) return OCI_INDEX;
  if (document['config'] !== undefined) return OCI_MANIFEST;
  throw invalid('the manifest has no media type');
}

/** The artifact type of distribution-spec, "Listing Referrers": an image without one has its config's media type. */
function artifactTypeOf(document: Json, isIndex: boolean): string | undefined {
  const own = optionalText(document, 'artifactType');
  if (own !== undefined || isIndex) return own;
  const config = document['config'];
  return isObject(config) ? optionalText(config, 'mediaType') : undefined;
}

function annotationsOf(document: Json): Readonly<Record<string, string>> | undefined {
  const found = document['annotations'];
  if (found === undefined || found === null) return undefined;
  if (!isObject(found) || !Object.values(found).every((value) => typeof value === 'string'))
    throw invalid('annotations are no map of texts');
  return found as Readonly<Record<string, string>>;
}

function keptAnnotations(found: Readonly<Record<string, string>> | undefined): ParsedManifest['annotations'] {
  if (found === undefined) return undefined;
  return JSON.stringify(found).length > MAX_KEPT_ANNOTATIONS ? 'long' : found;
}

function isElsewhere(layer: Json): boolean {
  const { mediaType, urls } = layer;
  return (Array.isArray(urls) && urls.length > 0) || (typeof mediaType === 'string' && ELSEWHERE.test(mediaType));
}

function descriptors(document: Json, name: string, wanted: (each: Json) => boolean = () => true): Descriptor[] {
  const list = document[name];
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) throw invalid(`${name} is no list`);
  return list.flatMap((each: unknown) => {
    const found = descriptor(each, name);
    return wanted(each as Json) ? [found] : [];
  });
}

function descriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw invalid(`${where} holds something that is no descriptor`);
  const { digest, size } = value;
  if (typeof digest !== 'string' || !isDigest(digest))
    throw invalid(`${where} has a descriptor without a usable digest`);
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw invalid(`${where} has a descriptor without a usable size`);
  return { digest, sizeBytes: size };
}

function invalid(why: string): Error {
  return registryError('MANIFEST_INVALID', why);
}
