import { formatCanonical, formatFamiliar, parseReference, WharfError, withDefaultTag } from '@wharf/kit';
import { IMAGE_NAME_ANNOTATION, REF_NAME_ANNOTATION } from '@wharf/oci/archive/image-archive';
import { type ImageToWrite, writeImageArchive } from '@wharf/oci/archive/write-archive';
import type { ContentStore } from '@wharf/oci/content/content-store';
import type { Descriptor, Index, Manifest } from '@wharf/oci/spec/image';
import { isIndexType, isManifestType } from '@wharf/oci/spec/media-types';
import type { Exporter } from '../result.ts';
import { type Attributes, flag } from './attributes.ts';
import { responseOf } from './image.ts';
import { imageFormat } from './image-format.ts';
import { writeImage } from './write-image.ts';

const CREATED = 'org.opencontainers.image.created';

/** Where an archive of an image goes. */
export interface ArchiveSink {
  /** Takes one file. */
  file(bytes: AsyncIterable<Buffer>, response: Readonly<Record<string, string>>): Promise<void>;
  /** Takes single blobs, what they are named by before them. */
  blobs(descriptors: readonly Descriptor[], content: ContentStore): Promise<void>;
}

/**
 * Hands an image to the client: an OCI layout, which may hold several platforms and statements, or what `docker load` has always read
 * (BuildKit, "OCI and Docker output"). Nothing stays here.
 */
export function archiveExporter(type: 'oci' | 'docker', attributes: Attributes, sink: ArchiveSink): Exporter {
  const format = imageFormat(attributes, { inlineAttestations: false, compression: 'gzip' });
  const isTar = flag(attributes, 'tar', true);
  const names = format.names.map((name) => formatCanonical(withDefaultTag(parseReference(name))));
  return (result, tools) =>
    tools.step(`exporting to ${type} image format`, async (part) => {
      if (type === 'docker' && result.isMultiPlatform) {
        throw new WharfError('invalid-argument', 'docker exporter does not currently support exporting manifest lists');
      }
      const plain = type === 'oci' ? result : withoutStatements(result);
      const written = await writeImage(plain, tools, format, part);
      const time = format.sourceDateEpoch ?? result.sourceDateEpoch;
      const created = new Date(time === undefined ? Date.now() : time * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
      const target = { ...written.target, annotations: { ...written.target.annotations, [CREATED]: created } };
      const response = {
        ...responseOf({ ...written, target }),
        ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
      };
      const { content } = tools.images;
      const blobs = await blobsBelow(written.target, content);
      for (const { digest } of blobs) {
        if ((await tools.lease.adopt(digest)) === undefined) {
          throw new WharfError('not-found', `content digest ${digest}: not found`);
        }
      }
      if (!isTar) {
        await part('copying blobs', () => sink.blobs(blobs.toReversed(), content));
        return response;
      }
      const docker = type === 'docker' ? await dockerManifest(written.target, content) : undefined;
      const images = (names.length === 0 ? [undefined] : names).map((name) => entryOf(name, { target, blobs, docker }));
      await part('sending tarball', () => sink.file(writeImageArchive(content, images), response));
      return response;
    });
}

function withoutStatements<T extends Parameters<typeof writeImage>[0]>(result: T): T {
  return { ...result, platforms: result.platforms.map((each) => ({ ...each, attestations: [] })) };
}

/** An image as `index.json` names it. */
function entryOf(name: string | undefined, image: ImageToWrite): ImageToWrite {
  if (name === undefined) return image;
  const reference = parseReference(name);
  const annotations = {
    ...image.target.annotations,
    [IMAGE_NAME_ANNOTATION]: name,
    [REF_NAME_ANNOTATION]: reference.tag ?? name,
  };
  return { ...image, target: { ...image.target, annotations }, familiarName: formatFamiliar(reference) };
}

/** The target and all that it names, documents before what they name. */
async function blobsBelow(target: Descriptor, content: ContentStore): Promise<readonly Descriptor[]> {
  const found = new Map<string, Descriptor>();
  const visit = async (descriptor: Descriptor): Promise<void> => {
    if (found.has(descriptor.digest)) return;
    found.set(descriptor.digest, descriptor);
    if (isIndexType(descriptor.mediaType)) {
      const index = (await readJson(descriptor, content)) as Index;
      for (const each of index.manifests) await visit(each);
    } else if (isManifestType(descriptor.mediaType)) {
      const { config, layers } = (await readJson(descriptor, content)) as Manifest;
      for (const each of [config, ...layers]) await visit(each);
    }
  };
  await visit(target);
  return [...found.values()];
}

async function dockerManifest(target: Descriptor, content: ContentStore): Promise<ImageToWrite['docker']> {
  const { config, layers } = (await readJson(target, content)) as Manifest;
  return { digest: target.digest, config: config.digest, layers: layers.map(({ digest }) => digest) };
}

/** A document that this export has written itself. */
async function readJson({ digest }: Descriptor, content: ContentStore): Promise<unknown> {
  return JSON.parse((await content.read(digest)).toString('utf8'));
}
