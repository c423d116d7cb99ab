import { type Digest, WharfError } from '@wharf/kit';
import type { Descriptor, Index, Manifest, Platform } from '@wharf/oci/spec/image';
import {
  DOCKER_CONFIG,
  DOCKER_INDEX,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_MANIFEST,
} from '@wharf/oci/spec/media-types';
import type { Attestation, BuildResult, ExportTools, PlatformResult } from '../result.ts';
import { annotationsAt, checkAnnotations } from './annotations.ts';
import { storeAttestations } from './attestation-manifest.ts';
import { exportedConfig } from './image-config.ts';
import type { ImageFormat } from './image-format.ts';
import { exportLayers } from './layers.ts';

/** An image in the store, under the lease of whoever had it written. */
export interface WrittenImage {
  /** An index where there are several platforms or statements, else a manifest. */
  readonly target: Descriptor;
  /** Of the only manifest; absent for an index. */
  readonly configDigest: Digest | undefined;
  /** Of the only manifest, too. */
  readonly platform?: Platform;
}

/** Shows a piece of the work to whoever waits for it. */
type Part = <T>(name: string, work: () => Promise<T>) => Promise<T>;

/**
 * Writes a result's documents, and its layers where the format asks for their blobs. The same result in the same format gives the same
 * bytes. Throws `invalid-argument` for a format that the result cannot have.
 */
export async function writeImage(
  result: BuildResult,
  tools: Pick<ExportTools, 'images' | 'lease' | 'signal' | 'inlineCache'>,
  format: ImageFormat,
  part: Part,
): Promise<WrittenImage> {
  const hasStatements = result.platforms.some((each) => attestationsOf(each, format).length > 0);
  const isIndex = result.isMultiPlatform || hasStatements;
  const platforms = result.platforms.map(({ platform }) => platform);
  checkAnnotations(format.annotations, { platforms, isIndex });
  if (hasStatements && !format.isOci) {
    throw new WharfError('invalid-argument', 'cannot export attestations with "oci-mediatypes=false"');
  }
  const epoch = format.sourceDateEpoch ?? result.sourceDateEpoch;
  const written = await part('exporting layers', () =>
    Promise.all(result.platforms.map((each) => writeManifest(each, tools, format, epoch))),
  );
  const [only] = written;
  if (only === undefined) throw new WharfError('internal', 'Cannot export a build without any platform');
  if (!isIndex) {
    await part(`exporting manifest ${only.descriptor.digest}`, () => Promise.resolve());
    await part(`exporting config ${only.configDigest}`, () => Promise.resolve());
    const [platform] = platforms;
    return {
      target: only.descriptor,
      configDigest: only.configDigest,
      ...(platform === undefined ? {} : { platform }),
    };
  }
  const statements: Descriptor[] = [];
  for (const [index, each] of result.platforms.entries()) {
    const descriptor = written[index]?.descriptor;
    const attestations = attestationsOf(each, format);
    if (descriptor === undefined || attestations.length === 0) continue;
    const about = { descriptor, platform: each.platform, names: format.names };
    statements.push(await storeAttestations(tools.lease, about, attestations, format));
  }
  const manifests = [
    ...written.map(({ descriptor }, index) => withPlatform(descriptor, result.platforms[index])),
    ...statements,
  ];
  const target = await writeIndex(manifests, tools, format);
  await part(`exporting manifest list ${target.digest}`, () => Promise.resolve());
  return { target, configDigest: undefined };
}

/** The statements that an image of this format carries. */
function attestationsOf({ attestations }: PlatformResult, format: ImageFormat): readonly Attestation[] {
  return format.inlineAttestations ? attestations : attestations.filter(({ fileName }) => fileName !== undefined);
}

function withPlatform(descriptor: Descriptor, result: PlatformResult | undefined): Descriptor {
  return result === undefined ? descriptor : { ...descriptor, platform: result.platform };
}

async function writeManifest(
  result: PlatformResult,
  tools: Pick<ExportTools, 'images' | 'lease' | 'signal' | 'inlineCache'>,
  format: ImageFormat,
  epoch: number | undefined,
): Promise<{ readonly descriptor: Descriptor; readonly configDigest: Digest }> {
  const { lease, inlineCache } = tools;
  if (result.tree.chainId !== '') lease.keepSnapshot(result.tree.chainId);
  const layers = await exportLayers(result.tree, tools, format, epoch);
  const descriptors = layers.map(({ descriptor }) => descriptor);
  const cache = await inlineCache?.(result, descriptors);
  const config = await lease.put(json(exportedConfig(result, { layers, epoch, inlineCache: cache })));
  const mediaType = format.isOci ? OCI_MANIFEST : DOCKER_MANIFEST;
  const annotations = annotationsAt(format.annotations, 'manifest', result.platform);
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: format.isOci ? OCI_CONFIG : DOCKER_CONFIG, digest: config.digest, size: config.sizeBytes },
    layers: descriptors,
    ...(annotations === undefined ? {} : { annotations }),
  };
  const stored = await lease.put(json(manifest));
  const outside = annotationsAt(format.annotations, 'manifest-descriptor', result.platform);
  const descriptor = {
    ...{ mediaType, digest: stored.digest, size: stored.sizeBytes },
    ...(outside === undefined ? {} : { annotations: outside }),
  };
  return { descriptor, configDigest: config.digest };
}

async function writeIndex(
  manifests: readonly Descriptor[],
  { lease }: Pick<ExportTools, 'lease'>,
  format: ImageFormat,
): Promise<Descriptor> {
  const mediaType = format.isOci ? OCI_INDEX : DOCKER_INDEX;
  const annotations = annotationsAt(format.annotations, 'index');
  const index: Index = {
    schemaVersion: 2,
    mediaType,
    manifests,
    ...(annotations === undefined ? {} : { annotations }),
  };
  const stored = await lease.put(json(index));
  const outside = annotationsAt(format.annotations, 'index-descriptor');
  return {
    ...{ mediaType, digest: stored.digest, size: stored.sizeBytes },
    ...(outside === undefined ? {} : { annotations: outside }),
  };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
