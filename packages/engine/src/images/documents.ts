import { type Digest, isDigest, isKind, WharfError } from '@wharf/kit';
import type { ContentStore } from '@wharf/oci/content/content-store';
import type { Descriptor, ImageConfig, Index, Manifest, Platform } from '@wharf/oci/spec/image';
import { isIndexType, isLayerType, isManifestType } from '@wharf/oci/spec/media-types';
import { DOCUMENT_CACHE_BYTES, DOCUMENT_CACHE_ENTRIES, INDEX_DEPTH, INDEX_ENTRIES, LAYERS } from './limits.ts';

const REFERENCE_TYPE = 'vnd.docker.reference.type';
export const REFERENCE_DIGEST = 'vnd.docker.reference.digest';

/** A manifest found below an image's target, with the descriptor that led to it. */
export interface ManifestNode {
  readonly descriptor: Descriptor;
  /** `undefined` when the blob is not in the store. */
  readonly manifest: Manifest | undefined;
}

/** True for BuildKit's attestation manifests (moby/buildkit, attestation-storage.md). */
export function isAttestation(descriptor: Descriptor): boolean {
  return descriptor.annotations?.[REFERENCE_TYPE] !== undefined;
}

/** True for a manifest that is no image to run: an attestation, `unknown/unknown`, or one without any filesystem layer. */
export function isPseudoImage({ descriptor, manifest }: ManifestNode): boolean {
  if (isAttestation(descriptor)) return true;
  const { platform } = descriptor;
  if (platform?.os === 'unknown' && platform.architecture === 'unknown') return true;
  if (manifest === undefined || manifest.layers.length === 0) return false;
  return !manifest.layers.some((layer) => isLayerType(layer.mediaType));
}

/**
 * Reads manifests, indexes and configs out of the content store and follows their pointers.
 *
 * Blobs never change, so a parsed document is kept by digest. A document that is missing or malformed is `undefined` to
 * the walking functions: an image may lawfully lack the content of other platforms.
 */
export class ImageDocuments {
  readonly content: ContentStore;
  readonly #cache = new Map<Digest, unknown>();
  readonly #canBeMade: (digest: Digest) => boolean;

  /** @param canBeMade true for blobs that are not in the store and can be put there any time */
  constructor(content: ContentStore, canBeMade: (digest: Digest) => boolean = () => false) {
    this.content = content;
    this.#canBeMade = canBeMade;
  }

  /** Throws `not-found` without the blob, `data-loss` when it is no JSON object. */
  async document(digest: Digest): Promise<unknown> {
    const cached = this.#cache.get(digest);
    if (cached !== undefined) return cached;
    const bytes = await this.content.read(digest);
    const parsed = parseObject(bytes, digest);
    if (bytes.length <= DOCUMENT_CACHE_BYTES) {
      if (this.#cache.size >= DOCUMENT_CACHE_ENTRIES) {
        const [oldest] = this.#cache.keys();
        if (oldest !== undefined) this.#cache.delete(oldest);
      }
      this.#cache.set(digest, parsed);
    }
    return parsed;
  }

  /** Drops a deleted blob's document. */
  forget(digest: Digest): void {
    this.#cache.delete(digest);
  }

  async index(digest: Digest): Promise<Index> {
    return checkIndex(await this.document(digest), digest);
  }

  async manifest(digest: Digest): Promise<Manifest> {
    return checkManifest(await this.document(digest), digest);
  }

  async config(digest: Digest): Promise<ImageConfig> {
    return checkConfig(await this.document(digest), digest);
  }

  /** What a descriptor points at in turn; none for leaves; `undefined` when the blob is missing or malformed. */
  async children(descriptor: Descriptor): Promise<readonly Descriptor[] | undefined> {
    try {
      if (isIndexType(descriptor.mediaType)) return (await this.index(descriptor.digest)).manifests;
      if (isManifestType(descriptor.mediaType)) {
        const manifest = await this.manifest(descriptor.digest);
        return [manifest.config, ...manifest.layers];
      }
      return [];
    } catch (error) {
      if (isKind(error, 'not-found') || isKind(error, 'data-loss')) return undefined;
      throw error;
    }
  }

  /** All descriptors below and including `target`, each digest once, whether present or not. */
  async reachable(target: Descriptor): Promise<Descriptor[]> {
    const seen = new Map<Digest, Descriptor>();
    const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
      if (seen.has(descriptor.digest)) return;
      seen.set(descriptor.digest, descriptor);
      if (depth >= INDEX_DEPTH + 2) return;
      for (const child of (await this.children(descriptor)) ?? []) await visit(child, depth + 1);
    };
    await visit(target, 0);
    return [...seen.values()];
  }

  /** As `reachable`, only what is in the store. */
  async present(target: Descriptor): Promise<Descriptor[]> {
    const all = await this.reachable(target);
    const stats = await Promise.all(all.map((descriptor) => this.content.stat(descriptor.digest)));
    return all.filter((_, position) => stats[position] !== undefined);
  }

  /** All manifests below `target`, in the order of their indexes. */
  async manifests(target: Descriptor): Promise<ManifestNode[]> {
    const found: ManifestNode[] = [];
    const visit = async (descriptor: Descriptor, depth: number): Promise<void> => {
      if (isManifestType(descriptor.mediaType)) {
        found.push({ descriptor, manifest: await this.#manifestIfPresent(descriptor.digest) });
      } else if (isIndexType(descriptor.mediaType) && depth < INDEX_DEPTH) {
        for (const child of (await this.children(descriptor)) ?? []) await visit(child, depth + 1);
      }
    };
    await visit(target, 0);
    return found;
  }

  /** The platform of a manifest: the descriptor's, else the config's; `undefined` when neither is at hand. */
  async platformOf({ descriptor, manifest }: ManifestNode): Promise<Platform | undefined> {
    if (descriptor.platform !== undefined) return descriptor.platform;
    const config = manifest === undefined ? undefined : await this.configIfPresent(manifest.config.digest);
    if (config === undefined) return undefined;
    const { os, architecture, variant } = config;
    return { os, architecture, ...(variant ? { variant } : {}) };
  }

  async configIfPresent(digest: Digest): Promise<ImageConfig | undefined> {
    return ifPresent(this.config(digest));
  }

  /** True when the config and every layer of the manifest are in the store. */
  async isAvailable({ manifest }: ManifestNode): Promise<boolean> {
    if (manifest === undefined) return false;
    const there = await Promise.all(
      [manifest.config, ...manifest.layers].map(
        async ({ digest }) => (await this.content.stat(digest)) !== undefined || this.#canBeMade(digest),
      ),
    );
    return there.every((each) => each);
  }

  async #manifestIfPresent(digest: Digest): Promise<Manifest | undefined> {
    return ifPresent(this.manifest(digest));
  }
}

async function ifPresent<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise;
  } catch (error) {
    if (isKind(error, 'not-found') || isKind(error, 'data-loss')) return undefined;
    throw error;
  }
}

function parseObject(bytes: Buffer, digest: Digest): unknown {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    if (isObject(parsed)) return parsed;
  } catch (error) {
    throw new WharfError('data-loss', `Cannot read document "${digest}": it is not JSON`, { cause: error });
  }
  throw new WharfError('data-loss', `Cannot read document "${digest}": it is not a JSON object`);
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
    typeof value.size === 'number' &&
    value.size >= 0
  );
}

/** Checks an index's form. Throws `data-loss`. */
export function checkIndex(value: unknown, name: string): Index {
  const manifests = isObject(value) ? value.manifests : undefined;
  if (!Array.isArray(manifests) || manifests.length > INDEX_ENTRIES || !manifests.every(isDescriptor)) {
    throw new WharfError('data-loss', `Cannot read index "${name}": its list of manifests is malformed`);
  }
  return value as Index;
}

/** Checks a manifest's form. Throws `data-loss`. */
export function checkManifest(value: unknown, name: string): Manifest {
  if (!isObject(value) || !isDescriptor(value.config)) {
    throw new WharfError('data-loss', `Cannot read manifest "${name}": it has no config descriptor`);
  }
  const { layers } = value;
  if (!Array.isArray(layers) || layers.length > LAYERS || !layers.every(isDescriptor)) {
    throw new WharfError('data-loss', `Cannot read manifest "${name}": its list of layers is malformed`);
  }
  return value as unknown as Manifest;
}

/** Checks an image config's form; absent parts are filled so that artifacts' configs read as images without layers. */
export function checkConfig(value: unknown, name: string): ImageConfig {
  if (!isObject(value)) throw new WharfError('data-loss', `Cannot read config "${name}": it is not a JSON object`);
  const rootfs = isObject(value.rootfs) ? value.rootfs : {};
  const diffIds: readonly unknown[] = Array.isArray(rootfs.diff_ids) ? rootfs.diff_ids : [];
  if (diffIds.length > LAYERS || !diffIds.every((each) => typeof each === 'string' && isDigest(each))) {
    throw new WharfError('data-loss', `Cannot read config "${name}": its list of diff ids is malformed`);
  }
  const text = (key: string) => (typeof value[key] === 'string' ? value[key] : '');
  return {
    ...value,
    os: text('os'),
    architecture: text('architecture'),
    rootfs: { type: typeof rootfs.type === 'string' ? rootfs.type : '', diff_ids: diffIds },
  } as unknown as ImageConfig;
}
