import {
  type Digest,
  formatCanonical,
  formatFamiliar,
  isDigest,
  parseReference,
  type Reference,
  WharfError,
  withDefaultTag,
} from '@wharf/kit';
import { chainIdOf } from '@wharf/oci/spec/chain-id';
import type { Platform } from '@wharf/oci/spec/image';
import { formatPlatform, hostPlatform, normalizePlatform, platformRank } from '@wharf/oci/spec/platform';
import { imagePlatformMissing, noSuchImage } from '@wharf/wire/docker/messages';
import type { ManifestNode } from './documents.ts';
import type { ImagePlatform, ResolvedImage } from './image-service.ts';
import { familiarOf, type ImageName, referenceOf } from './names.ts';
import type { ImageRoom } from './room.ts';

/** What a user may mean by a text: an id alone, or a name. */
export type AnyReference =
  | { readonly kind: 'digest'; readonly digest: Digest }
  | { readonly kind: 'name'; readonly reference: Reference };

/** Reads 64 hex digits and `sha256:…` as an id, all else as a name. Throws `invalid-argument`. */
export function parseAnyReference(text: string): AnyReference {
  const digest = /^[a-f0-9]{64}$/.test(text) ? `sha256:${text}` : text;
  if (isDigest(digest)) return { kind: 'digest', digest };
  return { kind: 'name', reference: parseReference(text) };
}

/** The hex of a full or shortened id, `undefined` when the text cannot be one. */
export function idPrefix(text: string): string | undefined {
  const hex = text.startsWith('sha256:') ? text.slice('sha256:'.length) : text;
  return /^[a-f0-9]{4,64}$/.test(hex) ? hex : undefined;
}

/** `not-found` with Docker's text: the name with its default tag, or the id. */
export function noSuch(any: AnyReference): WharfError {
  const text = any.kind === 'digest' ? any.digest : formatFamiliar(withDefaultTag(any.reference));
  return new WharfError('not-found', noSuchImage(text));
}

/** Finds the named image, or one of those an id or id prefix means. Throws `not-found`. */
export function findImage(room: ImageRoom, text: string): ImageName {
  const any = parseAnyReference(text);
  if (any.kind === 'digest') {
    const [first] = room.names.withTarget(any.digest);
    if (first) return first;
    throw noSuch(any);
  }
  const { reference } = any;
  if (reference.digest !== undefined) return findDigested(room, reference);
  const named = room.names.get(formatCanonical(withDefaultTag(reference)));
  if (named) return named;
  const prefix = idPrefix(text);
  const found = prefix === undefined ? [] : withIdPrefix(room, prefix);
  const [first] = found;
  if (!first) throw noSuch(any);
  if (new Set(found.map((image) => image.target.digest)).size > 1) {
    throw new WharfError('not-found', 'ambiguous reference');
  }
  return first;
}

function findDigested(room: ImageRoom, reference: Reference): ImageName {
  for (const image of room.names.list()) {
    if (image.target.digest !== reference.digest && image.pushed?.digest !== reference.digest) continue;
    const own = referenceOf(image);
    if (own && own.domain === reference.domain && own.path === reference.path) return image;
  }
  throw noSuch({ kind: 'name', reference });
}

/** All names whose target's hex starts with these digits. */
export function withIdPrefix(room: ImageRoom, hex: string): ImageName[] {
  return room.names.list().filter((image) => image.target.digest.startsWith(`sha256:${hex}`));
}

/**
 * The manifest to use: the best for the platform asked, or, when none is asked, the host's own and else the first there is.
 * Only manifests in the store count. Throws `not-found` with Docker's text.
 */
export async function bestManifest(
  room: ImageRoom,
  image: ImageName,
  wanted?: ImagePlatform,
  options: { readonly strict?: boolean } = {},
): Promise<ManifestNode> {
  const host = hostPlatform();
  let best: { readonly node: ManifestNode; readonly rank: number } | undefined;
  for (const node of await room.documents.manifests(image.target)) {
    if (node.manifest === undefined) continue;
    const platform = await room.documents.platformOf(node);
    if (platform === undefined) continue;
    const rank = rankFor(platform, wanted, host, options.strict === true);
    if (rank !== undefined && (best === undefined || rank < best.rank)) best = { node, rank };
  }
  if (best) return best.node;
  const text = wanted === undefined ? undefined : formatPlatform(wanted);
  throw new WharfError('not-found', imagePlatformMissing(familiarOf(image), text), { code: 'no-platform' });
}

function rankFor(
  have: Platform,
  wanted: ImagePlatform | undefined,
  host: Platform,
  strict: boolean,
): number | undefined {
  if (wanted === undefined) {
    const rank = platformRank(host, have);
    if (rank !== undefined) return rank;
    return have.os === 'unknown' ? 2000 : 1000;
  }
  const rank = platformRank(wanted, have);
  if (!strict || rank === undefined) return rank;
  const [a, b] = [normalizePlatform(wanted), normalizePlatform(have)];
  return a.variant === b.variant || (wanted.variant ?? '') === '' ? rank : undefined;
}

/** Everything a container needs of an image. */
export async function resolveImage(room: ImageRoom, text: string, wanted?: ImagePlatform): Promise<ResolvedImage> {
  const image = findImage(room, text);
  const node = await bestManifest(room, image, wanted);
  const { manifest } = node;
  if (manifest === undefined) throw new WharfError('not-found', noSuchImage(text));
  const config = await room.documents.config(manifest.config.digest);
  const { os, architecture, variant } = config;
  if (os !== '' && os !== hostPlatform().os) {
    const text = `image operating system "${os}" cannot be used on this platform: operating system is not supported`;
    throw new WharfError('invalid-argument', text, { code: 'foreign-os' });
  }
  return {
    id: image.target.digest,
    manifestDigest: node.descriptor.digest,
    configDigest: manifest.config.digest,
    config,
    platform: { os, architecture, ...(variant ? { variant } : {}) },
    diffIds: config.rootfs.diff_ids,
    chainId: chainIdOf(config.rootfs.diff_ids),
  };
}

/** The image a reference, id or id prefix means, and all that were committed from it; none when it means nothing. */
export function ancestorIds(room: ImageRoom, text: string): readonly Digest[] {
  let first: Digest;
  try {
    first = findImage(room, text).target.digest;
  } catch (error) {
    if (error instanceof WharfError) return [];
    throw error;
  }
  const found = new Set<Digest>([first]);
  const names = room.names.list();
  for (const id of found) {
    // A set's iteration also visits what is added meanwhile.
    for (const image of names) if (image.parent === id) found.add(image.target.digest);
  }
  return [...found];
}
