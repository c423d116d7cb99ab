import { isDigest, WharfError } from '@wharf/kit';
import type { Descriptor } from '../spec/image.ts';
import { type ArchiveContents, parseArchiveJson } from './contents.ts';
import { type ArchivedImage, IMAGE_NAME_ANNOTATION, REF_NAME_ANNOTATION } from './image-archive.ts';
import { ARCHIVE_IMAGES } from './limits.ts';

/** containerd marks manifests that only refer to another one (signatures) so; they are no images of their own. */
const SUBJECT_ANNOTATION = 'io.containerd.manifest.subject';

/** The images of an OCI layout (OCI image-spec, image-layout.md): each descriptor of `index.json` is one. */
export function layoutImages({ documents }: ArchiveContents): readonly ArchivedImage[] {
  checkVersion(documents.get('oci-layout'));
  const bytes = documents.get('index.json');
  if (bytes === undefined)
    throw new WharfError('data-loss', 'Cannot read image archive: missing index.json in OCI layout 1.0.0');
  const index = parseArchiveJson(bytes, 'index.json');
  const manifests = isObject(index) && Array.isArray(index.manifests) ? index.manifests : undefined;
  if (manifests === undefined || manifests.length > ARCHIVE_IMAGES || !manifests.every(isDescriptor)) {
    throw new WharfError('data-loss', 'Cannot read image archive: "index.json" has no valid list of manifests');
  }
  return manifests
    .filter((target) => target.annotations?.[SUBJECT_ANNOTATION] === undefined)
    .map((target) => ({ target, name: nameOf(target) }));
}

function checkVersion(bytes: Buffer | undefined): void {
  const layout = bytes === undefined ? undefined : parseArchiveJson(bytes, 'oci-layout');
  const version = isObject(layout) ? layout.imageLayoutVersion : undefined;
  if (version !== '1.0.0')
    throw new WharfError('data-loss', `Cannot read image archive: unsupported OCI version ${String(version)}`);
}

function nameOf(target: Descriptor): string | undefined {
  const name = target.annotations?.[IMAGE_NAME_ANNOTATION] || target.annotations?.[REF_NAME_ANNOTATION];
  return name || undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDescriptor(value: unknown): value is Descriptor {
  return (
    isObject(value) &&
    typeof value.mediaType === 'string' &&
    typeof value.digest === 'string' &&
    isDigest(value.digest) &&
    typeof value.size === 'number'
  );
}
