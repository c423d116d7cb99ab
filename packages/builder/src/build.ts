import { randomBytes } from 'node:crypto';
import { mkdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Digest, formatRfc3339Nano, KeyedLock, type Logger, messageOf, Semaphore } from '@wharf/kit';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { ImageConfig, Platform } from '@wharf/oci/spec/image';
import { hostPlatform } from '@wharf/oci/spec/platform';
import { CacheUsage } from './cache-usage.ts';
import { parseDockerfile } from './dockerfile/dockerfile.ts';
import type { BuildImages, CredentialsSource, StepLimits, StepRunner } from './interfaces.ts';
import { CACHE_SHARE, MAX_BUILDS, MAX_STEPS } from './limits.ts';
import { CacheDirectories } from './ops/cache-directories.ts';
import { BUILD_SNAPSHOT } from './ops/new-layer.ts';
import { buildOperations } from './ops/operations.ts';
import type { StepSecrets } from './ops/step-mounts.ts';
import { type BuildPlan, type PlanOptions, planBuild } from './plan/plan.ts';
import type { BuildCache } from './solver/cache.ts';
import { type SolveObserver, Solver } from './solver/solver.ts';
import type { Tree } from './solver/tree.ts';
import { type FileDigests, KeptContexts } from './sources/kept-contexts.ts';

export interface BuilderDeps {
  readonly cache: BuildCache;
  readonly snapshots: Snapshotter;
  readonly images: BuildImages;
  readonly runner: StepRunner;
  readonly clock: Clock;
  readonly log: Logger;
  readonly dataRoot: string;
  readonly execRoot: string;
}

/** A build as a client asks for it, whatever protocol it speaks. */
export interface BuildRequest {
  readonly dockerfile: string;
  /**
   * The directory of a context, fetched when a step first needs it; told what of it the plan reads. `name` is `context` for the build
   * context itself, and what a ContextVertex says for others.
   */
  readonly context: (plan: BuildPlan, name: string) => Promise<ContextDirectory>;
  /** What the client gave names of stages and images. */
  readonly namedSource?: PlanOptions['namedSource'];
  /** `undefined` when no image is to be made of the result. */
  readonly names: readonly string[] | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly labels: Readonly<Record<string, string>>;
  readonly target: string | undefined;
  readonly platform: Platform | undefined;
  readonly noCache: boolean;
  readonly pull: boolean;
  /** Only steps of these images may come from the cache; without any of them here, none. */
  readonly cacheFrom: readonly string[] | undefined;
  readonly network: string;
  readonly extraHosts: readonly string[];
  readonly limits: StepLimits;
  readonly secrets: StepSecrets;
  /** Nobody's when absent. */
  readonly credentials?: CredentialsSource | undefined;
  readonly signal: AbortSignal;
  /** Told of the plan before anything runs, and gives the observer of the rest. */
  readonly onPlan: (plan: BuildPlan) => SolveObserver;
  /** Takes Docker's progress documents of pulls. */
  readonly onPull: (document: unknown) => void;
  /** Takes the finished tree, which stays for as long as this goes on. */
  readonly onTree?: (tree: Tree, snapshots: Snapshotter) => Promise<void>;
  /** Wraps the making of the image, for a client that is shown it. */
  readonly whileExporting?: <T>(work: () => Promise<T>) => Promise<T>;
}

/** A build context on this host, not to be changed while the build goes on. */
export interface ContextDirectory {
  readonly path: string;
  /** Digests known of its files. */
  readonly digests?: FileDigests;
}

/** What came of a build. */
export interface BuildOutcome {
  /** The image's; absent when none was asked for. */
  readonly id: Digest | undefined;
  readonly config: ImageConfig;
}

/** Builds images. One per daemon. */
export interface Builder {
  /** Runs a build to its end. Throws what went wrong; finished steps stay in the cache. */
  build(request: BuildRequest): Promise<BuildOutcome>;
  /** Runs `work` with a directory of its own on the data root's disk, removed afterwards. */
  withScratch<T>(work: (directory: string) => Promise<T>): Promise<T>;
  readonly usage: CacheUsage;
  readonly contexts: KeptContexts;
}

/** Puts a builder together and removes what an earlier one's crash left. */
export async function createBuilder(deps: BuilderDeps): Promise<Builder> {
  const scratchRoot = join(deps.dataRoot, 'tmp', 'builds');
  await rm(scratchRoot, { recursive: true, force: true });
  for (const { key, kind } of deps.snapshots.list()) {
    if (kind === 'active' && key.startsWith(BUILD_SNAPSHOT)) await deps.snapshots.remove(key);
  }
  const caches = new CacheDirectories(join(deps.dataRoot, 'builder', 'caches'));
  const contexts = new KeptContexts(join(deps.dataRoot, 'builder', 'contexts'));
  await contexts.recover();
  const locks = new KeyedLock();
  const builds = new Semaphore(MAX_BUILDS);
  const steps = new Semaphore(MAX_STEPS);
  const withScratch = async <T>(work: (directory: string) => Promise<T>): Promise<T> => {
    const directory = join(scratchRoot, randomBytes(16).toString('hex'));
    await mkdir(directory, { recursive: true, mode: 0o700 });
    try {
      return await work(directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };
  const usage = new CacheUsage({ ...deps, directories: caches });
  const build = (request: BuildRequest): Promise<BuildOutcome> =>
    builds
      .run(
        () =>
          withScratch(async (scratch) => {
            using lease = deps.images.lease();
            const plan = await planOf(deps, request);
            const { network, extraHosts, limits, secrets, signal } = request;
            const operations = buildOperations({
              ...deps,
              ...{ caches, steps, scratch, lease, context: (name) => request.context(plan, name) },
              settings: { network, extraHosts, limits, secrets },
            });
            const observer = request.onPlan(plan);
            const solver = new Solver({ cache: deps.cache, operations, locks, observer, signal });
            const tree = await solver.tree(plan.target.tree);
            const config = plan.target.draft.finish(tree.layers, formatRfc3339Nano(deps.clock.nowNs()));
            await request.onTree?.(tree, deps.snapshots);
            const { names, whileExporting = (work) => work() } = request;
            if (names === undefined) return { id: undefined, config };
            const layers = tree.layers.map(({ descriptor }) => descriptor);
            return { id: await whileExporting(() => deps.images.create({ config, layers, names })), config };
          }),
        { signal: request.signal },
      )
      .finally(() => limitCache(deps, usage));
  return { build, withScratch, contexts, usage };
}

/** After a build, in the background: a share of the disk is the cache's and no more. */
function limitCache({ dataRoot, clock, log }: BuilderDeps, usage: CacheUsage): void {
  const limit = async () => {
    const { blocks, bsize } = await statfs(dataRoot);
    await usage.limit(blocks * bsize * CACHE_SHARE, Number(clock.nowNs() / 1_000_000n));
  };
  limit().catch((error: unknown) =>
    log.warn({ err: messageOf(error) }, 'the build cache could not be kept within its bounds'),
  );
}

async function planOf(deps: BuilderDeps, request: BuildRequest): Promise<BuildPlan> {
  const host = hostPlatform();
  const noCache = request.noCache || !(await hasAny(deps.images, request.cacheFrom));
  return planBuild(parseDockerfile(request.dockerfile), {
    buildArgs: request.buildArgs,
    target: request.target,
    buildPlatform: host,
    targetPlatform: request.platform ?? host,
    labels: request.labels,
    noCache,
    ...(request.namedSource === undefined ? {} : { namedSource: request.namedSource }),
    resolveImage: (reference, platform) =>
      deps.images.resolve(reference, platform, {
        pull: request.pull,
        progress: request.onPull,
        signal: request.signal,
        credentials: request.credentials,
      }),
  });
}

async function hasAny(images: BuildImages, names: readonly string[] | undefined): Promise<boolean> {
  if (names === undefined) return true;
  for (const name of names) if (await images.has(name)) return true;
  return false;
}
