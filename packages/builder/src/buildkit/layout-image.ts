import { isDigest, WharfError } from '@wharf/kit';
import { chainIds } from '@wharf/oci/spec/chain-id';
import type { ImageConfig, Index, Manifest, Platform } from '@wharf/oci/spec/image';
import { isIndexType } from '@wharf/oci/spec/media-types';
import { formatPlatform, platformRank } from '@wharf/oci/spec/platform';
import type { Builder } from '../build.ts';
import { fetchLayers, readJson } from '../cache-transfer/fetch-layers.ts';
import type { ImageLease, RemoteContent } from '../interfaces.ts';
import type { BaseImage } from '../plan/vertex.ts';
import { sessionStore } from './session-store.ts';
import type { Session } from './sessions.ts';

const MAX_DEPTH = 4;

/**
 * Fetches an image out of an OCI layout of the client's (`oci-layout://store:tag@digest`) and unpacks it.
 * @param lease keeps it for the time of the build
 */
export async function fetchLayoutImage(
  given: {
    readonly builder: Builder;
    readonly session: Session;
    readonly lease: ImageLease;
    readonly signal: AbortSignal;
  },
  wanted: { readonly name: string; readonly reference: string; readonly platform: Platform },
): Promise<BaseImage> {
  const { builder, session, lease, signal } = given;
  const { images, snapshots } = builder;
  const [named = '', digest = ''] = wanted.reference.split('@', 2);
  if (!isDigest(digest)) throw new WharfError('invalid-argument', `oci-layout reference "${named}" has no digest`);
  const store = `oci:${named.replace(/:[^/:]*$/, '')}`;
  const place = sessionStore(session, store, digest, signal);
  const manifest = await findManifest(place, wanted, undefined, 0);
  const tools = { images, snapshots, lease, signal };
  const config = await readJson<ImageConfig>(manifest.config, place, tools);
  const diffIds = config.rootfs.diff_ids;
  const layers = diffIds.flatMap((diffId, index) => {
    const descriptor = manifest.layers[index];
    return descriptor === undefined ? [] : [{ diffId, descriptor, place }];
  });
  if (layers.length !== manifest.layers.length) {
    throw new WharfError('data-loss', `Cannot use context "${wanted.name}": its configuration does not fit its layers`);
  }
  for (const { descriptor } of layers) lease.keep(descriptor.digest);
  await fetchLayers(layers, tools);
  const { os, architecture, variant } = config;
  return {
    reference: `${wanted.name.replace(/::.*/, '')}@${digest}`,
    ...{ config, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } },
    chainId: chainIds(diffIds).at(-1) ?? '',
    diffIds,
    layers: manifest.layers,
  };
}

/** The manifest for a platform, where there are several. */
async function findManifest(
  place: RemoteContent,
  { name, platform }: { readonly name: string; readonly platform: Platform },
  digest: Parameters<RemoteContent['document']>[0],
  depth: number,
): Promise<Manifest> {
  const { descriptor, bytes } = await place.document(digest);
  if (!isIndexType(descriptor.mediaType)) return JSON.parse(bytes.toString('utf8')) as Manifest;
  const { manifests } = JSON.parse(bytes.toString('utf8')) as Index;
  const ranked = manifests.flatMap((each) => {
    const rank = each.platform === undefined ? 1000 : platformRank(platform, each.platform);
    return rank === undefined ? [] : [{ each, rank }];
  });
  const [best] = ranked.toSorted((left, right) => left.rank - right.rank);
  if (best === undefined || depth >= MAX_DEPTH) {
    throw new WharfError(
      'not-found',
      `Cannot use context "${name}": no match for platform ${formatPlatform(platform)}`,
    );
  }
  return findManifest(place, { name, platform }, best.each.digest, depth + 1);
}
