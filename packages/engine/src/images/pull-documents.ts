import { type Digest, splitDigest, WharfError } from '@wharf/kit';
import { fetchDocument } from '@wharf/oci/remote/resolver';
import type { Descriptor, ImageConfig, Manifest, Platform } from '@wharf/oci/spec/image';
import { isIndexType, isManifestType } from '@wharf/oci/spec/media-types';
import { platformRank } from '@wharf/oci/spec/platform';
import { isAttestation } from './documents.ts';
import { INDEX_DEPTH, UNNAMED_PLATFORMS } from './limits.ts';
import { noMatch } from './pull-errors.ts';
import type { PullLayersOptions } from './pull-layers.ts';

export interface PulledManifest {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest;
}

/**
 * Brings the documents of an image into the store: indexes whole, and of the manifests the one for the platform. A manifest that is
 * not in an index is taken as it is. Throws `not-found` when no manifest fits.
 */
export async function pullManifest(
  options: PullLayersOptions,
  target: Descriptor,
  platform: Platform,
): Promise<PulledManifest> {
  const found = await descend(options, target, platform, 0);
  if (found !== undefined) return found;
  throw noMatch(platform);
}

async function descend(
  options: PullLayersOptions,
  descriptor: Descriptor,
  platform: Platform,
  depth: number,
): Promise<PulledManifest | undefined> {
  await pullDocument(options, descriptor);
  const { documents } = options.room;
  if (isManifestType(descriptor.mediaType))
    return { descriptor, manifest: await documents.manifest(descriptor.digest) };
  if (!isIndexType(descriptor.mediaType) || depth >= INDEX_DEPTH) return undefined;
  const { manifests } = await documents.index(descriptor.digest);
  const candidates = manifests.filter((each) => !isAttestation(each));
  const ranked = candidates.flatMap((each) => {
    const rank = each.platform === undefined ? undefined : platformRank(platform, each.platform);
    return rank === undefined ? [] : [{ each, rank }];
  });
  const [best] = ranked.sort((a, b) => a.rank - b.rank);
  if (best !== undefined) return descend(options, best.each, platform, depth + 1);
  for (const each of candidates.filter((one) => one.platform === undefined).slice(0, UNNAMED_PLATFORMS)) {
    const found = await descend(options, each, platform, depth + 1);
    if (found === undefined) continue;
    const config = await pullConfig(options, found.manifest);
    if (platformRank(platform, config) !== undefined) return found;
  }
  return undefined;
}

async function pullDocument(
  { room, repository, lease, signal }: PullLayersOptions,
  descriptor: Descriptor,
): Promise<void> {
  const { digest, size } = descriptor;
  const there = await lease.adopt(digest);
  if (there !== undefined && there.sizeBytes === size) return;
  const { bytes } = await fetchDocument(repository, digest, { expected: descriptor, signal });
  if (bytes.length !== size) {
    throw new WharfError('data-loss', `manifest ${digest} has ${bytes.length} bytes where its descriptor says ${size}`);
  }
  await using writer = await room.content.writer({ algorithm: algorithmOf(digest) });
  await writer.write(bytes);
  await lease.commit(writer, { digest });
}

function algorithmOf(digest: Digest): 'sha256' | 'sha512' {
  return splitDigest(digest).algorithm === 'sha512' ? 'sha512' : 'sha256';
}

/** Brings the config, which says what the layers become. */
export async function pullConfig(options: PullLayersOptions, { config }: Manifest): Promise<ImageConfig> {
  const { room, registries, repository, lease, signal } = options;
  const there = await lease.adopt(config.digest);
  if (there === undefined || there.sizeBytes !== config.size) {
    await registries.downloads.fetch({
      repository,
      descriptor: config,
      commit: (writer, expected) => lease.commit(writer, expected),
      signal,
    });
    await lease.adopt(config.digest);
  }
  return room.documents.config(config.digest);
}
