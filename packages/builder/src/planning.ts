import { WharfError } from '@wharf/kit';
import type { Platform } from '@wharf/oci/spec/image';
import { hostPlatform } from '@wharf/oci/spec/platform';
import { checkOptions } from './checks/check-options.ts';
import { Checks } from './checks/checks.ts';
import { parseDockerfile } from './dockerfile/dockerfile.ts';
import type { BuildImages, CredentialsSource } from './interfaces.ts';
import { MAX_PLATFORMS } from './limits.ts';
import { canonicalName } from './plan/canonical-name.ts';
import { type BuildPlan, type PlanOptions, planBuild } from './plan/plan.ts';
import { shareVertices } from './plan/share-vertices.ts';

/** What of a build's request its plan depends on. */
export interface PlanRequest {
  readonly dockerfile: string;
  /** What the client gave names of stages and images. */
  readonly namedSource?: PlanOptions['namedSource'];
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  /** This host's when empty. */
  readonly platforms: readonly Platform[];
  readonly noCache: boolean;
  /** Stages whose steps do not come from the cache. */
  readonly noCacheStages?: readonly string[] | undefined;
  readonly pull: boolean;
  /** Only steps of these images may come from the cache; without any of them here, none. */
  readonly cacheFrom: readonly string[] | undefined;
  /** Nobody's when absent. */
  readonly credentials?: CredentialsSource | undefined;
  readonly signal: AbortSignal;
  /** Takes Docker's progress documents of pulls. */
  readonly onPull: (document: unknown) => void;
  /** Shows a client that an image is being looked for, which may take a pull. */
  readonly whileResolving?: (<T>(title: string, work: () => Promise<T>) => Promise<T>) | undefined;
  /** The patterns of the context's .dockerignore, for a check. */
  readonly ignorePatterns?: (() => Promise<readonly string[]>) | undefined;
  /** As of a plan's options. */
  readonly imageError?: PlanOptions['imageError'];
  /** What the build is allowed beyond the usual; the host's network alone when absent. */
  readonly entitlements?: ReadonlySet<string> | undefined;
  /** As of a plan's options. */
  readonly classic?: boolean | undefined;
  /** Handed the checks before they begin to find, so that an error hides none. */
  readonly onChecks?: ((checks: Checks) => void) | undefined;
}

/** Reads and checks a Dockerfile and makes a plan of it for every platform. */
export async function plansOf(images: BuildImages, request: PlanRequest): Promise<readonly BuildPlan[]> {
  const checks = new Checks(checkOptions(request.dockerfile, request.buildArgs));
  request.onChecks?.(checks);
  const dockerfile = parseDockerfile(request.dockerfile, checks);
  const platforms = request.platforms.length === 0 ? [hostPlatform()] : request.platforms;
  if (platforms.length > MAX_PLATFORMS) {
    throw new WharfError(
      'resource-exhausted',
      `Cannot build for ${platforms.length} platforms: ${MAX_PLATFORMS} at most`,
    );
  }
  const options = await planOptions(images, request);
  const plans = await Promise.all(
    // The checks of one platform say it all.
    platforms.map((targetPlatform, index) =>
      planBuild(dockerfile, { ...options, targetPlatform, checks: index === 0 ? checks : undefined }),
    ),
  );
  return shareVertices(plans);
}

/** What a plan of the request is made with, for its first platform. */
export async function planOptions(images: BuildImages, request: PlanRequest): Promise<Omit<PlanOptions, 'checks'>> {
  const host = hostPlatform();
  const noCache = request.noCache || !(await hasAny(images, request.cacheFrom));
  const { buildArgs, target, labels, noCacheStages, pull, signal, credentials, namedSource, ignorePatterns } = request;
  const { imageError, entitlements, classic } = request;
  return {
    ...{ buildArgs, target, labels, noCache, noCacheStages, ignorePatterns, imageError, entitlements, classic },
    buildPlatform: host,
    targetPlatform: request.platforms[0] ?? host,
    ...(namedSource === undefined ? {} : { namedSource }),
    resolveImage: (reference, platform) => {
      const { whileResolving = (_, work) => work() } = request;
      return whileResolving(`[internal] load metadata for ${canonicalName(reference)}`, () =>
        images.resolve(reference, platform, { pull, progress: request.onPull, signal, credentials }),
      );
    },
  };
}

async function hasAny(images: BuildImages, names: readonly string[] | undefined): Promise<boolean> {
  if (names === undefined) return true;
  for (const name of names) if (await images.has(name)) return true;
  return false;
}
