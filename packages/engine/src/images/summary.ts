import type { ChainId, Digest } from '@wharf/kit';
import { chainIds } from '@wharf/oci/spec/chain-id';
import type { Descriptor, ImageConfig, Platform } from '@wharf/oci/spec/image';
import { hostPlatform, platformRank } from '@wharf/oci/spec/platform';
import type { ImageManifestSummary } from '@wharf/wire/docker/types';
import { isAttestation, isPseudoImage, type ManifestNode, REFERENCE_DIGEST } from './documents.ts';
import type { ImagePlatform } from './image-service.ts';
import type { ImageName } from './names.ts';
import type { ImageRoom } from './room.ts';

/** One manifest of an image with its sizes. */
export interface ManifestSummary {
  readonly node: ManifestNode;
  readonly shown: ImageManifestSummary;
  readonly config: ImageConfig | undefined;
  readonly platform: Platform | undefined;
  readonly chainIds: readonly ChainId[];
}

/** An image with all its platforms, summed up. */
export interface ImageSums {
  readonly image: ImageName;
  readonly manifests: readonly ManifestSummary[];
  /** The one that stands for the image: the platform asked for, else the host's, else the first. */
  readonly best: ManifestSummary | undefined;
  readonly totalBytes: number;
  readonly containers: number;
  /** Everything of the image that is in the store, each blob once. */
  readonly content: readonly Descriptor[];
}

/** Sums up an image. Content that is missing counts as nothing; only a broken disk throws. */
export async function sumUp(room: ImageRoom, image: ImageName, wanted?: ImagePlatform): Promise<ImageSums> {
  const manifests: ManifestSummary[] = [];
  const content = new Map<Digest, Descriptor>();
  for (const node of await room.documents.manifests(image.target)) {
    const present = await room.documents.present(node.descriptor);
    for (const descriptor of present) content.set(descriptor.digest, descriptor);
    manifests.push(await summarize(room, image, node, present));
  }
  const best = choose(manifests, wanted);
  return {
    image,
    manifests,
    best,
    totalBytes: manifests.reduce((sum, each) => sum + each.shown.Size.Total, 0),
    containers: manifests.reduce((sum, each) => sum + (each.shown.ImageData?.Containers.length ?? 0), 0),
    content: [...content.values()],
  };
}

async function summarize(
  room: ImageRoom,
  image: ImageName,
  node: ManifestNode,
  present: readonly Descriptor[],
): Promise<ManifestSummary> {
  const { descriptor } = node;
  const contentBytes = present.reduce((sum, each) => sum + each.size, 0);
  const base = {
    ID: descriptor.digest,
    Descriptor: descriptor,
    Available: await room.documents.isAvailable(node),
    Size: { Content: contentBytes, Total: contentBytes },
  };
  if (isPseudoImage(node))
    return { node, shown: pseudo(base, descriptor), config: undefined, platform: undefined, chainIds: [] };
  const config =
    node.manifest === undefined ? undefined : await room.documents.configIfPresent(node.manifest.config.digest);
  const chain = chainIds(config?.rootfs.diff_ids ?? []);
  const sizes = await Promise.all(chain.map((each) => room.layerSize(each)));
  const unpackedBytes = sizes.reduce((sum, each) => sum + each, 0);
  const platform = descriptor.platform ?? platformOfConfig(config);
  const users = room.usage().get(image.target.digest) ?? [];
  const own = users.filter((user) => (user.manifestDigest || descriptor.digest) === descriptor.digest);
  const shown: ImageManifestSummary = {
    ...base,
    Size: { Content: contentBytes, Total: contentBytes + unpackedBytes },
    Kind: 'image',
    ImageData: {
      Platform: platform ?? { architecture: '', os: '' },
      Containers: own.map((user) => user.containerId),
      Size: { Unpacked: unpackedBytes },
    },
  };
  return { node, shown, config, platform, chainIds: chain };
}

function pseudo(base: Omit<ImageManifestSummary, 'Kind'>, descriptor: Descriptor): ImageManifestSummary {
  const subject = descriptor.annotations?.[REFERENCE_DIGEST];
  if (!isAttestation(descriptor) || subject === undefined) return { ...base, Kind: 'unknown' };
  return { ...base, Kind: 'attestation', AttestationData: { For: subject } };
}

function platformOfConfig(config: ImageConfig | undefined): Platform | undefined {
  if (config === undefined || config.os === '') return undefined;
  const { os, architecture, variant } = config;
  return {
    architecture,
    os,
    ...(variant ? { variant } : {}),
    ...(config['os.version'] ? { 'os.version': config['os.version'] } : {}),
  };
}

function choose(manifests: readonly ManifestSummary[], wanted: ImagePlatform | undefined): ManifestSummary | undefined {
  const host = hostPlatform();
  let best: { readonly rank: number; readonly summary: ManifestSummary } | undefined;
  for (const summary of manifests) {
    if (summary.shown.Kind !== 'image') continue;
    const rank = rankOf(summary, wanted, host);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { rank, summary };
  }
  return best?.summary;
}

function rankOf(summary: ManifestSummary, wanted: ImagePlatform | undefined, host: Platform): number | undefined {
  const { platform, node } = summary;
  if (wanted !== undefined) {
    if (platform === undefined || node.manifest === undefined) return undefined;
    return platformRank(wanted, platform);
  }
  const rank = platform === undefined ? undefined : platformRank(host, platform);
  // What is not in the store stands for the image only when nothing else can.
  return (rank ?? 1000) + (node.manifest === undefined ? 10_000 : 0);
}
