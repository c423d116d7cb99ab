import { familiarName, formatCanonical, formatFamiliar, messageOf, type Reference, withTag } from '@wharf/kit';
import type { RegistryCredentials } from '@wharf/oci/remote/credentials';
import type { Registries } from '@wharf/oci/remote/registries';
import type { RemoteRepository } from '@wharf/oci/remote/repository';
import { resolve } from '@wharf/oci/remote/resolver';
import { chainIds } from '@wharf/oci/spec/chain-id';
import type { Descriptor, ImageConfig, Manifest } from '@wharf/oci/spec/image';
import { isLayerType } from '@wharf/oci/spec/media-types';
import { hostPlatform } from '@wharf/oci/spec/platform';
import { announceTransfer } from './announce.ts';
import { rememberSources } from './blob-sources.ts';
import type { ImagePlatform } from './image-service.ts';
import { PULLED_TAGS } from './limits.ts';
import { pullConfig, pullManifest } from './pull-documents.ts';
import { pullError, resolveError, tagsError } from './pull-errors.ts';
import { PullLayers, type PullLayersOptions, type WantedLayer } from './pull-layers.ts';
import { PullProgress } from './pull-progress.ts';
import type { ImageRoom } from './room.ts';
import { putName } from './tag.ts';
import type { TransferOutput } from './transfer-output.ts';

export interface TransferOptions {
  /** A name without tag and digest means all tags. */
  readonly reference: Reference;
  readonly platform?: ImagePlatform | undefined;
  readonly credentials?: RegistryCredentials | undefined;
  readonly metaHeaders?: Readonly<Record<string, string>>;
  readonly output: TransferOutput;
  readonly signal: AbortSignal;
}

/** `docker pull`. Throws with dockerd's words; what was fetched until then is kept for the next attempt. */
export async function pullImages(room: ImageRoom, registries: Registries, options: TransferOptions): Promise<void> {
  const { reference, credentials, metaHeaders, signal } = options;
  const open = (each: Reference) => registries.repository(each, credentials, metaHeaders);
  const tags = reference.tag === undefined && reference.digest === undefined;
  if (!tags) {
    await pullOne(room, registries, options, await open(reference));
    return;
  }
  const repository = await open(reference);
  const found = await repository.tags(signal).catch((error: unknown) => {
    throw signal.aborted ? error : tagsError(reference, error);
  });
  for (const tag of found.slice(0, PULLED_TAGS)) {
    const each = withTag(reference, tag);
    try {
      await pullOne(room, registries, { ...options, reference: each }, await open(each));
    } catch (cause) {
      throw Object.assign(toError(cause), { message: `error pulling ${formatFamiliar(each)}: ${messageOf(cause)}` });
    }
  }
}

function toError(cause: unknown): Error {
  return cause instanceof Error ? cause : new Error(String(cause));
}

async function pullOne(
  room: ImageRoom,
  registries: Registries,
  options: TransferOptions,
  repository: RemoteRepository,
): Promise<void> {
  const { reference, output, signal } = options;
  const before = room.names.get(formatCanonical(reference));
  try {
    using lease = room.collector.lease();
    using progress = new PullProgress(output);
    const target = await resolve(repository, signal).catch((error: unknown) => {
      throw new Unresolved(error);
    });
    // What was pushed from here is here, in the form it was built in.
    const isOwn = before?.pushed?.digest === target.digest;
    const parts: PullLayersOptions = { room, registries, repository, lease, progress, signal };
    if (isOwn) output.message(`Pulling from ${reference.path}`, reference.tag ?? formatCanonical(reference));
    else await pullContent(parts, { target, options });
    const image = putName(room, { name: formatCanonical(reference), target: isOwn ? before.target : target });
    await room.names.committed();
    await rememberSources(room, reference, target);
    await announceTransfer(room, 'pull', image, { id: formatFamiliar(reference), name: familiarName(reference) });
    output.message(`Digest: ${target.digest}`);
    const newer = !isOwn && before?.target.digest !== target.digest;
    output.message(
      `Status: ${newer ? 'Downloaded newer image' : 'Image is up to date'} for ${formatFamiliar(reference)}`,
    );
  } catch (error) {
    if (signal.aborted) throw error;
    throw error instanceof Unresolved ? resolveError(reference, error.failure) : pullError(reference, error);
  }
}

/** Sets a failure to find the image apart from one to fetch it. */
class Unresolved extends Error {
  readonly failure: unknown;

  constructor(failure: unknown) {
    super();
    this.failure = failure;
  }
}

async function pullContent(
  parts: PullLayersOptions,
  { target, options }: { readonly target: Descriptor; readonly options: TransferOptions },
): Promise<void> {
  const { room, progress } = parts;
  const { reference, output, platform = hostPlatform() } = options;
  const { manifest } = await pullManifest(parts, target, platform);
  output.message(`Pulling from ${reference.path}`, reference.tag ?? formatCanonical(reference));
  const config = await pullConfig(parts, manifest);
  const layers = wantedLayers(manifest, config);
  // An image that is there already is told of by its last line alone.
  const present = await Promise.all(manifest.layers.map(({ digest }) => room.content.stat(digest)));
  if (present.some((blob) => blob === undefined)) for (const { descriptor } of layers) progress.list(descriptor);
  await using fetching = new PullLayers(parts);
  for (const layer of layers) fetching.start(layer);
  const all = Promise.all(layers.map(({ descriptor }) => fetching.arrived(descriptor.digest)));
  all.catch(() => undefined);
  const unpackable = layers.every(({ place }) => place !== undefined);
  for (const [index, { descriptor }] of layers.entries()) {
    // The failure of any layer ends the wait for this one.
    await Promise.race([fetching.arrived(descriptor.digest), all]);
    if (unpackable) await room.unpack(manifest, { ahead: fetching, count: index + 1 });
    progress.complete(descriptor.digest);
  }
}

/** Layers of images this host can unpack have a place in its stack; those of Windows and of artifacts are only kept. */
function wantedLayers(manifest: Manifest, config: ImageConfig): readonly WantedLayer[] {
  const diffIds = config.rootfs.diff_ids;
  const runs = config.os !== 'windows' && diffIds.length === manifest.layers.length;
  const unpackable = runs && manifest.layers.every(({ mediaType }) => isLayerType(mediaType));
  const chain = chainIds(diffIds);
  return manifest.layers.map((descriptor, index) => {
    const [diffId, chainId] = [diffIds[index], chain[index]];
    const place = unpackable && diffId !== undefined && chainId !== undefined ? { diffId, chainId } : undefined;
    return { descriptor, place };
  });
}
