import { isIPv4 } from 'node:net';
import { join } from 'node:path';
import { type Builder, createBuilder } from '@wharf/builder/build';
import type { CacheLimits } from '@wharf/builder/cache-collection';
import { dockerFilter } from '@wharf/builder/cache-filter';
import { BuildHistory, type HistoryLimits } from '@wharf/builder/history/history';
import type { BuildImages } from '@wharf/builder/interfaces';
import { BuildCache } from '@wharf/builder/solver/cache';
import type { Engine } from '@wharf/engine/engine';
import type { BuildCacheConfig, BuildCacheRule, BuildHistoryConfig } from '@wharf/engine/engine-config';
import type { BuildBase } from '@wharf/engine/images/built-images';
import { TransferOutput } from '@wharf/engine/images/transfer-output';
import { createStepService } from '@wharf/engine/steps/steps';
import { formatFamiliar, isKind, messageOf, parseReference, WharfError, withDefaultTag } from '@wharf/kit';
import { openContentStore } from '@wharf/oci/content/fs-store';
import type { Platform } from '@wharf/oci/spec/image';
import { formatPlatform, hostPlatform } from '@wharf/oci/spec/platform';

/** A builder whose steps run in this engine and whose images are the engine's. */
export async function openBuilder(engine: Engine): Promise<Builder> {
  const { store, content, snapshots, clock, log, config } = engine;
  const documents = await openContentStore({ root: join(config.dataRoot, 'builder', 'history') });
  const runner = createStepService(engine);
  await runner.recover();
  return createBuilder({
    ...{ snapshots, clock, log, dataRoot: config.dataRoot, execRoot: config.execRoot },
    entitlements: new Set(config.buildEntitlements),
    cacheLimits: cacheLimits(config.buildCache),
    cache: new BuildCache({ store, snapshots, clock }),
    images: buildImages(engine),
    runner,
    history: new BuildHistory({ store, content: documents, clock, log, limits: historyLimits(config.buildHistory) }),
    content,
    hostGateway: () => hostGateway(engine),
  });
}

/** What `host-gateway` stands for, as in containers: the host's address on the default bridge. */
function hostGateway({ networks }: Pick<Engine, 'networks'>): string | undefined {
  try {
    const { IPAM } = networks.inspectNetwork('bridge', { withStatus: false });
    return IPAM?.Config?.find(({ Gateway = '' }) => isIPv4(Gateway))?.Gateway;
  } catch (error) {
    // `--bridge none`.
    if (isKind(error, 'not-found')) return undefined;
    throw error;
  }
}

function historyLimits({ maxEntries, maxAgeMs }: BuildHistoryConfig): HistoryLimits {
  return { entries: maxEntries, ageMs: maxAgeMs };
}

function cacheLimits({ rules, ...config }: BuildCacheConfig): CacheLimits {
  if (rules === undefined) return config;
  const filterOf = (filters: BuildCacheRule['filters']) => {
    const byName = new Map(filters.map(([name, value]) => [name, [value]]));
    // Said once here, so that a mistake is found when the builder is opened.
    dockerFilter(byName, 0);
    return (nowMs: number) => dockerFilter(byName, nowMs);
  };
  return { ...config, rules: rules.map(({ filters, ...rule }) => ({ ...rule, filter: filterOf(filters) })) };
}

function buildImages({ images, content }: Pick<Engine, 'images' | 'content'>): BuildImages {
  return {
    content,
    async resolve(name, platform, { pull, progress, signal, credentials }) {
      const reference = withDefaultTag(parseReference(name));
      const here = pull ? undefined : await images.findBase(name, platform);
      if (here !== undefined) return baseOf(name, here);
      const output = new TransferOutput(async (document) => progress(document), { withBar: false });
      const known = await credentials?.(reference.domain);
      try {
        await images.pull({ reference, platform, output, signal, credentials: known });
      } catch (error) {
        if (pull || signal.aborted || !(await isHere(images, name))) throw error;
        // Nobody asked for a platform: what is here will do, and a check tells of it.
        const isOwn = formatPlatform(platform) === formatPlatform(hostPlatform());
        const other = isOwn ? await images.findBase(name) : undefined;
        if (other === undefined) throw notForPlatform(name, platform, error);
        return baseOf(name, other);
      }
      const pulled = await images.findBase(name, platform);
      if (pulled === undefined) {
        throw new WharfError(
          'not-found',
          `${formatFamiliar(reference)}: no image for platform ${formatPlatform(platform)}`,
        );
      }
      return baseOf(name, pulled);
    },
    has: (name) => isHere(images, name),
    sharedSnapshots: () => images.snapshotsInUse(),
    collect: () => images.collect(),
    lease: () => images.lease(),
    noteLayer: ({ descriptor, chainId }) =>
      images.noteLayer(descriptor.digest, { chainId, sizeBytes: descriptor.size }),
    packLayer: (layer, under) => images.packLayer(layer, under),
    unpackStack: (stack) => images.unpackStack(stack),
    async remoteContent(name, { credentials, insecure, signal }) {
      const reference = withDefaultTag(parseReference(name));
      const known = await credentials?.(reference.domain);
      return images.remoteContent(reference, { credentials: known, insecure, signal });
    },
    name: (target, names) => images.nameBuilt(target, names),
    async push(target, name, { byDigest, insecure, credentials, signal }) {
      const reference = withDefaultTag(parseReference(name));
      const output = new TransferOutput(() => Promise.resolve(), { withBar: false });
      const known = await credentials?.(reference.domain);
      await images.pushBuilt({ reference, target, byDigest, insecure, credentials: known, output, signal });
    },
  };
}

async function isHere(images: Engine['images'], name: string): Promise<boolean> {
  try {
    await images.resolve(name);
    return true;
  } catch (error) {
    if (isKind(error, 'not-found') || isKind(error, 'invalid-argument')) return false;
    throw error;
  }
}

/** An image that is here for other platforms: what went wrong elsewhere would not tell that. */
function notForPlatform(name: string, platform: Platform, cause: unknown): WharfError {
  const wanted = formatPlatform(platform);
  return new WharfError(
    'not-found',
    `"${name}" is not here for ${wanted}, and to pull it did not work: ${messageOf(cause)}`,
    { cause },
  );
}

function baseOf(reference: string, { image, layers }: BuildBase) {
  const { id, config, platform, chainId, diffIds } = image;
  return { reference, digest: id, config, platform, chainId, diffIds, layers };
}
