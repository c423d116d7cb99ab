import { type DiffId, type Digest, splitDigest } from '@wharf/kit';
import type { Descriptor, Manifest, Platform } from '@wharf/oci/spec/image';
import { IN_TOTO, OCI_CONFIG, OCI_MANIFEST } from '@wharf/oci/spec/media-types';
import { imageUrl } from '../attestations/package-url.ts';
import type { ImageLease } from '../interfaces.ts';
import type { Attestation } from '../result.ts';

const STATEMENT = 'https://in-toto.io/Statement/v0.1';
/** The annotation that tells what a statement says. */
export const PREDICATE_TYPE = 'in-toto.io/predicate-type';
/** The annotation that names the manifest that statements are about. */
export const REFERENCE_DIGEST = 'vnd.docker.reference.digest';
const ARTIFACT = 'application/vnd.docker.attestation.manifest.v1+json';
const EMPTY = { mediaType: 'application/vnd.oci.empty.v1+json', bytes: Buffer.from('{}') };
const UNKNOWN: Platform = { architecture: 'unknown', os: 'unknown' };

/** Whom a statement is about (in-toto attestation framework, "ResourceDescriptor"). */
export interface Subject {
  readonly name: string;
  readonly digest: Readonly<Record<string, string>>;
}

/** A statement as it is written down (in-toto attestation framework, "Statement"). */
export function statementOf(
  { predicateType, predicate, subjectName }: Attestation,
  subjects: readonly Subject[],
): object {
  const about = subjectName === undefined ? subjects : subjects.map((subject) => ({ ...subject, name: subjectName }));
  return { _type: STATEMENT, predicateType, subject: about, predicate };
}

/** An image's manifest as the subject of statements: under each of its names, as package URLs. */
export function imageSubjects(digest: Digest, names: readonly string[], platform: Platform): readonly Subject[] {
  const { algorithm, hex } = splitDigest(digest);
  const urls = names.map((name) => imageUrl(name, platform));
  return (urls.length === 0 ? ['_'] : urls).map((name) => ({ name, digest: { [algorithm]: hex } }));
}

/**
 * Stores statements about an image's manifest as a manifest of their own, to stand beside it in an index (BuildKit,
 * attestation-storage.md).
 */
export async function storeAttestations(
  lease: ImageLease,
  about: { readonly descriptor: Descriptor; readonly platform: Platform; readonly names: readonly string[] },
  attestations: readonly Attestation[],
  { artifacts }: { readonly artifacts: boolean },
): Promise<Descriptor> {
  const subject = about.descriptor;
  const subjects = imageSubjects(subject.digest, about.names, about.platform);
  const layers: Descriptor[] = [];
  for (const attestation of attestations) {
    const { digest, sizeBytes } = await lease.put(json(statementOf(attestation, subjects)));
    const annotations = { [PREDICATE_TYPE]: attestation.predicateType };
    layers.push({ mediaType: IN_TOTO, digest, size: sizeBytes, annotations });
  }
  const config = artifacts
    ? await stored(lease, EMPTY.mediaType, EMPTY.bytes)
    : await stored(lease, OCI_CONFIG, json(configOf(layers)));
  const { mediaType, digest, size } = subject;
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    ...(artifacts ? { artifactType: ARTIFACT } : {}),
    config,
    layers,
    ...(artifacts ? { subject: { mediaType, digest, size } } : {}),
  };
  return {
    ...(await stored(lease, OCI_MANIFEST, json(manifest))),
    annotations: {
      [REFERENCE_DIGEST]: subject.digest,
      'vnd.docker.reference.type': 'attestation-manifest',
    },
    platform: UNKNOWN,
  };
}

/** What stands where an image has its configuration. */
function configOf(layers: readonly Descriptor[]): object {
  const ids = layers.map(({ digest }) => digest as string as DiffId);
  return { ...UNKNOWN, config: {}, rootfs: { type: 'layers', diff_ids: ids } };
}

async function stored(lease: ImageLease, mediaType: string, bytes: Buffer): Promise<Descriptor> {
  const { digest, sizeBytes } = await lease.put(bytes);
  return { mediaType, digest, size: sizeBytes };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
