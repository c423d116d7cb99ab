import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, Semaphore } from '@wharf/kit';
import type { ContentStore } from '@wharf/oci/content/content-store';
import type { Snapshotter } from '@wharf/oci/snapshots/snapshotter';
import type { Platform } from '@wharf/oci/spec/image';
import type { StepLimits, StepRunner } from '@wharf/oci/steps/step';
import { CacheCollection, type CacheLimits } from './cache-collection.ts';
import type { RemoteSteps, RemoteStepsDeps } from './cache-transfer/remote-steps.ts';
import { CacheUsage } from './cache-usage.ts';
import { inspectDockerfile } from './checks/inspect.ts';
import type { Subrequest, SubrequestAnswer } from './checks/subrequests.ts';
import { LineHistories } from './explain/line-history.ts';
import { resultOf, runExporters } from './finish.ts';
import { HeldTrees } from './held-trees.ts';
import type { BuildHistory } from './history/history.ts';
import type { BuildImages, ImageLease } from './interfaces.ts';
import { MAX_BUILDS, MAX_CLOSE_MS, MAX_STEPS } from './limits.ts';
import { CacheDirectories } from './ops/cache-directories.ts';
import { type FailedStep, FailedSteps, openOn } from './ops/failed-step.ts';
import { BUILD_SNAPSHOT } from './ops/new-layer.ts';
import type { OpenStep } from './ops/open-step.ts';
import { buildOperations } from './ops/operations.ts';
import type { StepSettings } from './ops/run.ts';
import type { StepSecrets } from './ops/step-mounts.ts';
import type { BuildPlan } from './plan/plan.ts';
import type { RunVertex } from './plan/vertex.ts';
import { type PlanRequest, planOptions, plansOf } from './planning.ts';
import type { Attest, BuildResult, Exporter, ExportStep, InlineCache, PlatformResult } from './result.ts';
import type { BuildCache } from './solver/cache.ts';
import { SharedWork } from './solver/shared-work.ts';
import { type SolveObserver, Solver } from './solver/solver.ts';
import type { Tree } from './solver/tree.ts';
import { GitRepositories } from './sources/git/git-repositories.ts';
import { KeptContexts } from './sources/kept-contexts.ts';
import { UnderWay } from './under-way.ts';

export interface BuilderDeps {
  readonly cache: BuildCache;
  readonly snapshots: Snapshotter;
  readonly images: BuildImages;
  readonly runner: StepRunner;
  readonly clock: Clock;
  readonly log: Logger;
  readonly dataRoot: string;
  readonly execRoot: string;
  /** What builds may be allowed beyond the usual. */
  readonly entitlements: ReadonlySet<string>;
  readonly history: BuildHistory;
  readonly cacheLimits: CacheLimits;
  /** Where the documents of images are. */
  readonly content: ContentStore;
  /** The address under which steps and containers reach this host; `undefined` when there is none. */
  readonly hostGateway: () => string | undefined;
}

/** A build as a client asks for it, whatever protocol it speaks. */
export interface BuildRequest extends PlanRequest {
  /**
   * The directory of a context, fetched when a step first needs it; told what of it the plans read. `name` is `context` for the build
   * context itself, and what a ContextVertex says for others.
   */
  readonly context: (plans: readonly BuildPlan[], name: string) => Promise<ContextDirectory>;
  /** One platform's result is to look like one of several. */
  readonly multiPlatform?: boolean;
  readonly network: string;
  readonly extraHosts: readonly string[];
  readonly limits: StepLimits;
  readonly secrets: StepSecrets;
  /** Told of the plans, one for each platform, before anything runs, and gives the observer of the rest. */
  readonly onPlans: (plans: readonly BuildPlan[]) => SolveObserver;
  /** What is made of the result, one after the other; without any it stays in the cache. */
  readonly exporters: readonly Exporter[];
  /** Statements to make about the result. */
  readonly attest?: Attest | undefined;
  readonly inlineCache?: InlineCache | undefined;
  /** Reads the caches that steps may come from besides the own one. */
  readonly remoteSteps?: ((deps: RemoteStepsDeps) => Promise<RemoteSteps>) | undefined;
  /** Waited for before a build that failed is given up; a RUN that failed is there until then, as it left its tree. */
  readonly whenFailed?: ((error: unknown, step: FailedStep | undefined) => Promise<void>) | undefined;
  /** Shows a client what exporters do. */
  readonly exportStep?: ExportStep | undefined;
}

/** A build context on this host, not to be changed while the build goes on. */
export interface ContextDirectory {
  readonly path: string;
  /** What is in it, where that is written down (`readIndex`). */
  readonly index?: string;
}

/** What came of a build. */
export interface BuildOutcome {
  readonly result: BuildResult;
  /** What each exporter says of its work. */
  readonly responses: readonly Readonly<Record<string, string>>[];
}

/** Builds images. One per daemon. */
export interface Builder {
  /** Runs a build to its end. Throws what went wrong; finished steps stay in the cache. */
  build(request: BuildRequest): Promise<BuildOutcome>;
  /** Answers a question about the request's Dockerfile; nothing is built. */
  inspect(question: Subrequest, filename: string, request: PlanRequest): Promise<SubrequestAnswer>;
  /** Runs `work` with a directory of its own on the data root's disk, removed afterwards. */
  withScratch<T>(work: (directory: string) => Promise<T>): Promise<T>;
  /** What builds may be allowed beyond the usual. */
  readonly entitlements: ReadonlySet<string>;
  readonly hostGateway: BuilderDeps['hostGateway'];
  readonly usage: CacheUsage;
  readonly contexts: KeptContexts;
  /** The directories behind cache mounts. */
  readonly caches: CacheDirectories;
  /** What the lines of Dockerfiles came to before. */
  readonly lines: LineHistories;
  readonly history: BuildHistory;
  readonly content: ContentStore;
  readonly repositories: GitRepositories;
  readonly images: BuildImages;
  readonly snapshots: Snapshotter;
  /** Keeps results from being collected until it is disposed of. */
  lease(): ImageLease;
  /** A result's tree to run commands in; what they change goes with it. */
  openTree(result: Pick<PlatformResult, 'tree' | 'platform'>): Promise<OpenStep>;
  /** Resolves when builds whose clients are gone have left nothing behind. Ends none by itself. */
  close(): Promise<void>;
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
  await caches.recover();
  await deps.history.recover();
  const lines = new LineHistories(join(deps.dataRoot, 'builder', 'lines'));
  const repositories = new GitRepositories(join(deps.dataRoot, 'builder', 'repositories'));
  const shared = new SharedWork<Tree>();
  const builds = new Semaphore(MAX_BUILDS);
  const steps = new Semaphore(MAX_STEPS);
  const underWay = new UnderWay();
  const inScratch = async <T>(work: (directory: string) => Promise<T>): Promise<T> => {
    const directory = join(scratchRoot, randomBytes(16).toString('hex'));
    await mkdir(directory, { recursive: true, mode: 0o700 });
    try {
      return await work(directory);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  };
  const withScratch: Builder['withScratch'] = (work) => underWay.watch(inScratch(work));
  const held = new HeldTrees();
  const newLease = () => held.watch(deps.images.lease());
  const usage = new CacheUsage({ ...deps, directories: caches, contexts, repositories, held });
  const collection = new CacheCollection({ ...deps, usage, limits: deps.cacheLimits });
  const build = (request: BuildRequest): Promise<BuildOutcome> =>
    builds
      .run(
        () =>
          withScratch(async (scratch) => {
            using lease = collection.watch(newLease());
            await using failures = new FailedSteps();
            const plans = await plansOf(deps.images, request);
            const { network, extraHosts, limits, secrets, signal } = request;
            const operations = buildOperations({
              ...deps,
              ...{ caches, steps, scratch, lease, repositories, context: (name) => request.context(plans, name) },
              settings: {
                network,
                extraHosts,
                limits,
                secrets,
                ...(request.whenFailed === undefined ? {} : { failures }),
              },
            });
            const observer = request.onPlans(plans);
            const remote = await request.remoteSteps?.({ ...deps, lease, signal });
            const solver = new Solver({ cache: deps.cache, remote, operations, shared, observer, signal });
            try {
              const result = await resultOf(deps, request, plans, (vertex) => solver.tree(vertex));
              const responses = await runExporters(deps, request, result, { lease, scratch });
              return { result, responses };
            } catch (error) {
              await request.whenFailed?.(error, failures.of(error));
              throw error;
            }
          }),
        { signal: request.signal },
      )
      .finally(() => collection.soon());
  const inspect: Builder['inspect'] = async (question, filename, request) => {
    const options = await planOptions(deps.images, request);
    return inspectDockerfile(question, { filename, text: request.dockerfile }, options, request.onChecks);
  };
  const { history, content, images, snapshots } = deps;
  const openTree: Builder['openTree'] = async ({ tree, platform }) => {
    await using undo = new AsyncDisposableStack();
    undo.defer(underWay.begin());
    const step = undo.use(
      await openOn({ ...deps, caches, settings: PLAIN_STEP }, plainVertex(platform), [], tree.chainId),
    );
    const opened = undo.move();
    return { run: (command, io) => step.run(command, io), [Symbol.asyncDispose]: () => opened.disposeAsync() };
  };
  return {
    build,
    inspect,
    entitlements: deps.entitlements,
    hostGateway: deps.hostGateway,
    withScratch,
    contexts,
    caches,
    lines,
    usage,
    history,
    content,
    repositories,
    images,
    snapshots,
    lease: newLease,
    openTree,
    close: () => underWay.ended(MAX_CLOSE_MS),
  };
}

/** What nobody has said anything about. */
const PLAIN_STEP: StepSettings = {
  ...{ network: 'default', extraHosts: [], limits: {} },
  secrets: { secret: () => Promise.resolve(undefined), sshAgent: () => Promise.resolve(undefined) },
};

function plainVertex(platform: Platform): RunVertex {
  return {
    ...{ kind: 'run', base: undefined, args: [], env: [], hiddenEnv: [], cwd: '/', user: '', mounts: [] },
    ...{ network: 'default', insecure: false, hostname: '', platform, noCache: false, name: '' },
  };
}
