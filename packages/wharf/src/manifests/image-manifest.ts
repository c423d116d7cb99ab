import { WharfError } from '@wharf/kit/errors';
import { canonicalName, parseReference, type Reference, withDefaultTag } from '@wharf/kit/reference';
import { DOCKER_INDEX, OCI_INDEX, OCI_MANIFEST } from '@wharf/oci/spec/media-types';

/** A platform as the documents have it (OCI image spec, "image index"). */
export interface ManifestPlatform {
  readonly architecture: string;
  readonly os: string;
  readonly 'os.version'?: string;
  readonly 'os.features'?: readonly string[];
  readonly variant?: string;
}

/** An image's manifest with what a list of several says of it, as docker's client keeps it in a file. */
export interface ImageManifest {
  readonly Ref: string;
  readonly Descriptor: {
    readonly mediaType: string;
    readonly digest: string;
    readonly size: number;
    readonly platform?: ManifestPlatform;
  };
  /** The bytes, in base64: the digest is theirs. */
  readonly Raw?: string;
  readonly SchemaV2Manifest?: ManifestDocument;
  readonly OCIManifest?: ManifestDocument;
}

export interface ManifestDocument {
  readonly config?: { readonly digest: string };
  readonly layers?: readonly { readonly digest: string }[];
}

/** A name with its tag or digest. */
export function manifestReference(text: string): Reference {
  return withDefaultTag(parseReference(text));
}

/** The manifest's bytes as the registry has them. */
export function bytesOf({ Ref, Raw }: ImageManifest): Buffer {
  if (Raw === undefined) throw new WharfError('data-loss', `${Ref} has no payload`);
  return Buffer.from(Raw, 'base64');
}

/** Everything the manifest points to. */
export function blobsOf({ SchemaV2Manifest, OCIManifest }: ImageManifest): readonly string[] {
  const { config, layers = [] } = SchemaV2Manifest ?? OCIManifest ?? {};
  return [...(config === undefined ? [] : [config]), ...layers].map(({ digest }) => digest);
}

/** Docker's order of a platform's keys; what is not known is left out. */
export function orderedPlatform(platform: Partial<ManifestPlatform>): ManifestPlatform {
  const { architecture = '', os = '', variant } = platform;
  const [version, features] = [platform['os.version'], platform['os.features']];
  return {
    architecture,
    os,
    ...(version ? { 'os.version': version } : {}),
    ...(features !== undefined && features.length > 0 ? { 'os.features': features } : {}),
    ...(variant ? { variant } : {}),
  };
}

/** The list of several images, byte for byte as docker's client makes it. Throws where one is of another registry. */
export function listDocument(
  target: Reference,
  manifests: readonly ImageManifest[],
): { readonly mediaType: string; readonly text: string } {
  const mediaType = manifests[0]?.Descriptor.mediaType === OCI_MANIFEST ? OCI_INDEX : DOCKER_INDEX;
  const entries = manifests.map(({ Ref, Descriptor }) => {
    const { domain } = parseReference(Ref);
    if (domain !== target.domain) {
      throw new WharfError(
        'invalid-argument',
        `cannot use source images from a different registry than the target image: ${domain} != ${target.domain}`,
      );
    }
    const { mediaType: type, size, digest, platform } = Descriptor;
    return { mediaType: type, size, digest, platform: orderedPlatform(platform ?? {}) };
  });
  return { mediaType, text: JSON.stringify({ schemaVersion: 2, mediaType, manifests: entries }, null, 3) };
}

/** Throws where an image lacks what a list must say of it. */
export function checkPlatforms(manifests: readonly ImageManifest[]): void {
  const lacking = manifests.find(({ Descriptor: { platform } }) => !platform?.architecture || !platform.os);
  if (lacking === undefined) return;
  throw new WharfError(
    'invalid-argument',
    `manifest ${lacking.Ref} must have an OS and Architecture to be pushed to a registry`,
    { hint: 'Say them with `wharf manifest annotate --os OS --arch ARCH LIST IMAGE`.' },
  );
}

export function isSameRepository(left: Reference, right: Reference): boolean {
  return canonicalName(left) === canonicalName(right);
}
