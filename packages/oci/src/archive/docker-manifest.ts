import { formatCanonical, parseReference, WharfError, withDefaultTag } from '@wharf/kit';
import type { BlobInfo } from '../content/content-store.ts';
import { type Compression, detectCompression } from '../layers/compression.ts';
import type { Descriptor, Platform } from '../spec/image.ts';
import {
  DOCKER_CONFIG,
  DOCKER_LAYER,
  DOCKER_LAYER_GZIP,
  DOCKER_LAYER_ZSTD,
  DOCKER_MANIFEST,
} from '../spec/media-types.ts';
import { type ArchiveContents, describe, parseArchiveJson } from './contents.ts';
import { type ArchivedImage, type BlobSink, IMAGE_NAME_ANNOTATION, REF_NAME_ANNOTATION } from './image-archive.ts';
import { ARCHIVE_IMAGES } from './limits.ts';

interface DockerImage {
  readonly Config: string;
  readonly RepoTags: readonly string[];
  readonly Layers: readonly string[];
}

/**
 * The images of a docker-archive (`manifest.json`). They come without manifests, so each gets a Docker schema 2 one, with
 * the same bytes as containerd's importer writes.
 */
export async function dockerImages(contents: ArchiveContents, sink: BlobSink): Promise<readonly ArchivedImage[]> {
  const bytes = contents.documents.get('manifest.json') ?? Buffer.alloc(0);
  const images: ArchivedImage[] = [];
  for (const image of parseImages(parseArchiveJson(bytes, 'manifest.json'))) {
    const target = await makeManifest(image, contents, sink);
    if (image.RepoTags.length === 0) images.push({ target, name: undefined });
    for (const tag of image.RepoTags) images.push(named(target, tag));
  }
  return images;
}

function named(target: Descriptor, tag: string): ArchivedImage {
  const reference = withDefaultTag(parseReference(tag));
  const name = formatCanonical(reference);
  const annotations = { [IMAGE_NAME_ANNOTATION]: name, [REF_NAME_ANNOTATION]: reference.tag ?? name };
  return { target: { ...target, annotations }, name };
}

function parseImages(value: unknown): readonly DockerImage[] {
  if (!Array.isArray(value) || value.length > ARCHIVE_IMAGES) {
    throw new WharfError('data-loss', 'Cannot read image archive: "manifest.json" is not a list of images');
  }
  return value.map((each: unknown) => {
    const image =
      typeof each === 'object' && each !== null ? (each as Partial<Record<keyof DockerImage, unknown>>) : {};
    const { Config, RepoTags, Layers } = image;
    if (typeof Config !== 'string' || !isTextList(Layers ?? []) || !isTextList(RepoTags ?? [])) {
      throw new WharfError('data-loss', 'Cannot read image archive: "manifest.json" has a malformed image');
    }
    return { Config, RepoTags: (RepoTags ?? []) as readonly string[], Layers: (Layers ?? []) as readonly string[] };
  });
}

function isTextList(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

async function makeManifest(image: DockerImage, { blobs }: ArchiveContents, sink: BlobSink): Promise<Descriptor> {
  const config = blobs.get(image.Config);
  if (config === undefined)
    throw new WharfError('data-loss', `Cannot read image archive: image config "${image.Config}" not found`);
  const layers: Descriptor[] = [];
  for (const name of image.Layers) {
    const blob = blobs.get(name);
    if (blob === undefined) throw new WharfError('data-loss', `Cannot read image archive: layer "${name}" not found`);
    layers.push(describe(blob, await layerType(blob, sink)));
  }
  const manifest = { schemaVersion: 2, mediaType: DOCKER_MANIFEST, config: describe(config, DOCKER_CONFIG), layers };
  const info = await sink.put(Buffer.from(JSON.stringify(manifest)));
  const platform = await configPlatform(config, sink);
  return { ...describe(info, DOCKER_MANIFEST), ...(platform === undefined ? {} : { platform }) };
}

/** How many first bytes tell the compression. */
const MAGIC_BYTES = 6;

const layerTypes: Readonly<Partial<Record<Compression, string>>> = {
  none: DOCKER_LAYER,
  gzip: DOCKER_LAYER_GZIP,
  zstd: DOCKER_LAYER_ZSTD,
};

async function layerType(blob: BlobInfo, sink: BlobSink): Promise<string> {
  const compression = detectCompression(await sink.head(blob.digest, MAGIC_BYTES));
  const type = layerTypes[compression];
  if (type === undefined)
    throw new WharfError(
      'data-loss',
      `Cannot read image archive: layer ${blob.digest} is compressed with ${compression}`,
    );
  return type;
}

async function configPlatform(config: BlobInfo, sink: BlobSink): Promise<Platform | undefined> {
  const value = parseArchiveJson(await sink.read(config.digest), config.digest);
  const { os, architecture, variant } = (value ?? {}) as Partial<Record<keyof Platform, unknown>>;
  if (typeof os !== 'string' || typeof architecture !== 'string' || os === '' || architecture === '') return undefined;
  return { architecture, os, ...(typeof variant === 'string' && variant !== '' ? { variant } : {}) };
}
