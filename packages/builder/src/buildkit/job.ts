import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isKind, systemClock, WharfError } from '@wharf/kit';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { GRPC, GrpcError, grpcStatusOf } from '@wharf/wire/grpc/status';
import { BuildStatements } from '../attestations/statements.ts';
import type { Builder, BuildOutcome, ContextDirectory } from '../build.ts';
import type { Checks } from '../checks/checks.ts';
import type { Subrequest } from '../checks/subrequests.ts';
import { fetchRemote } from '../docker-api/remote-context.ts';
import { DockerfileError, type LineRange } from '../dockerfile/location.ts';
import { contextPaths } from '../plan/context-paths.ts';
import type { BuildPlan } from '../plan/plan.ts';
import type { Vertex } from '../plan/vertex.ts';
import type { PlanRequest } from '../planning.ts';
import type { Exporter } from '../result.ts';
import { applyIgnorePatterns, ignorePatterns, readDockerfile } from '../sources/context.ts';
import { planExports } from './export-plan.ts';
import { type FrontendOptions, frontendOptions } from './frontend-options.ts';
import type { ControlSolve, ExporterMessage, ResultMessage } from './messages.ts';
import { Progress } from './progress.ts';
import { receiveFiles, receiveInto } from './receive-tree.ts';
import { SessionSecrets } from './session-secrets.ts';
import type { Session, Sessions } from './sessions.ts';

/** Where a build's files come from. */
interface BuildSource {
  readonly dockerfile: string;
  readonly context: (plans: readonly BuildPlan[]) => Promise<ContextDirectory>;
  /** What .dockerignore says. */
  readonly ignorePatterns: () => Promise<readonly string[]>;
  /** The build has ended and reads nothing any more. */
  readonly done: () => Promise<void>;
}

/** One `Control/Solve`: a build that the client's gateway calls drive. */
export class BuildJob {
  readonly progress: Progress;
  readonly #builder: Builder;
  readonly #sessions: Sessions;
  readonly #request: ControlSolve;
  readonly #signal: AbortSignal;
  readonly #returned = Promise.withResolvers<ResultMessage | undefined>();
  #outcome: BuildOutcome | undefined;
  #statements: BuildStatements | undefined;
  #failure: unknown;

  constructor(options: {
    readonly builder: Builder;
    readonly sessions: Sessions;
    readonly request: ControlSolve;
    readonly signal: AbortSignal;
  }) {
    this.#builder = options.builder;
    this.#sessions = options.sessions;
    this.#request = options.request;
    this.#signal = options.signal;
    this.progress = new Progress(options.request.Ref);
    this.#returned.promise.catch(() => undefined);
  }

  /** Resolves with what the exporters say once the client has returned its result; throws what the build failed with. */
  async finished(): Promise<Readonly<Record<string, string>>> {
    const gone = new Promise<never>((_, reject) => {
      this.#signal.addEventListener('abort', () => reject(this.#signal.reason), { once: true });
    });
    gone.catch(() => undefined);
    await Promise.race([this.#returned.promise, gone]);
    return this.response;
  }

  /** What the exporters said. */
  get response(): Readonly<Record<string, string>> {
    return Object.assign({}, ...(this.#outcome?.responses ?? []));
  }

  /** What came of the build, once it is done. */
  get outcome(): BuildOutcome | undefined {
    return this.#outcome;
  }

  /** What can be stated about the build, once it has begun. */
  get statements(): BuildStatements | undefined {
    return this.#statements;
  }

  /** The client's own verdict. A failure of ours that it hands back is better known here. */
  return(
    result: ResultMessage | undefined,
    error: { readonly code: number; readonly message: string } | undefined,
  ): void {
    if (error === undefined) this.#returned.resolve(result);
    else this.#returned.reject(this.#failure ?? new GrpcError(error.code || GRPC.UNKNOWN, error.message));
  }

  /** The Dockerfile front end: builds, and makes of the result what the exporters are for. */
  async solve(frontendOpt: Readonly<Record<string, string>>): Promise<ResultMessage> {
    try {
      const options = frontendOptions(frontendOpt);
      if (options.question !== undefined) return await this.#answer(options.question, options);
      const outcome = await this.#build(options, frontendOpt);
      this.#outcome = outcome;
      return resultMessage(outcome);
    } catch (error) {
      this.#failure = withoutStatus(error);
      throw this.#failure;
    }
  }

  async #build(options: FrontendOptions, attrs: Readonly<Record<string, string>>): Promise<BuildOutcome> {
    const session = await this.#sessions.get(this.#request.Session);
    const exporters = this.#exporters(session);
    return this.#builder.withScratch(async (scratch) => {
      using secrets = new SessionSecrets(session, scratch);
      const source = await this.#source(session, options, scratch);
      const file = { filename: options.filename, text: source.dockerfile };
      const statements = new BuildStatements({
        attrs,
        dockerfile: file,
        invocation: this.#request.Ref,
        clock: systemClock,
      });
      this.#statements = statements;
      const failed: { at?: LineRange } = {};
      const warnings = new Warnings(this.progress, { filename: options.filename, text: source.dockerfile });
      try {
        const { multiPlatform, network, extraHosts, limits } = options;
        return await this.#builder.build({
          ...this.#planRequest(options, source, warnings),
          ...{ exporters, multiPlatform, network, extraHosts, limits, secrets },
          context: source.context,
          onPlans: (plans) => {
            warnings.tell();
            this.progress.plan(plans);
            return statements.capture.watch(watching(this.progress, plans, failed));
          },
          attest: statements.attest,
          exportStep: (title, work) => this.progress.step(title, work),
        });
      } catch (error) {
        throw withSource(error, options.filename, source.dockerfile, failed.at);
      } finally {
        warnings.tell();
        await source.done();
      }
    });
  }

  /** Tells something of the Dockerfile and builds nothing. */
  async #answer(question: Subrequest, options: FrontendOptions): Promise<ResultMessage> {
    const session = await this.#sessions.get(this.#request.Session);
    return this.#builder.withScratch(async (scratch) => {
      const source = await this.#source(session, options, scratch);
      const warnings = new Warnings(this.progress, { filename: options.filename, text: source.dockerfile });
      try {
        const request = this.#planRequest(options, source, question === 'lint' ? undefined : warnings);
        const answer = await this.#builder.inspect(question, options.filename, request);
        return { metadata: Object.fromEntries(Object.entries(answer).map(([key, text]) => [key, Buffer.from(text)])) };
      } catch (error) {
        throw withSource(error, options.filename, source.dockerfile, undefined);
      } finally {
        warnings.tell();
        await source.done();
      }
    });
  }

  #planRequest(options: FrontendOptions, source: BuildSource, warnings: Warnings | undefined): PlanRequest {
    const { buildArgs, labels, target, platforms, noCache, noCacheStages, pull } = options;
    return {
      ...{ buildArgs, labels, target, platforms, noCache, noCacheStages, pull },
      dockerfile: source.dockerfile,
      cacheFrom: undefined,
      signal: this.#signal,
      ignorePatterns: source.ignorePatterns,
      onChecks: (checks) => warnings?.begin(checks),
      onPull: () => undefined,
    };
  }

  /** Where Dockerfile and context come from: the session, or an address that the daemon fetches. */
  async #source(session: Session, { filename, remote }: FrontendOptions, scratch: string): Promise<BuildSource> {
    if (/^(https?:\/\/|git|ssh:\/\/)/.test(remote)) return remoteSource(remote, filename, scratch, this.#signal);
    const own = join(scratch, 'dockerfile');
    const dockerfile = await this.progress.step(`[internal] load build definition from ${filename}`, async () => {
      const wanted = { name: 'dockerfile', exclude: [], follow: definitionFiles(filename) };
      await receiveFiles(own, session, wanted, this.#signal);
      return readDockerfile(own, filename === 'Dockerfile' ? '' : filename).catch((error: unknown) => {
        if (!isKind(error, 'invalid-argument')) throw error;
        throw new WharfError('not-found', `failed to read dockerfile: open ${filename}: no such file or directory`);
      });
    });
    const key = session.sharedKey === '' ? undefined : session.sharedKey;
    const lent = new AsyncDisposableStack();
    let ignored: Promise<readonly string[]> | undefined;
    const ignoredOnce = () => (ignored ??= this.#ignorePatterns(session, filename, own, scratch));
    return {
      dockerfile,
      ignorePatterns: ignoredOnce,
      context: async (plans) => {
        const exclude = await ignoredOnce();
        const place = lent.use(await this.#builder.contexts.take(key, this.#signal));
        await receiveInto(place, session, { name: 'context', exclude, follow: contextPaths(plans) }, this.#signal);
        place.received();
        return { path: place.tree, index: place.index };
      },
      done: () => lent.disposeAsync(),
    };
  }

  /** The patterns of the Dockerfile's own .dockerignore, else those of the context. */
  async #ignorePatterns(session: Session, filename: string, own: string, scratch: string): Promise<readonly string[]> {
    const specific = await ignorePatterns(own, filename);
    if (specific.length > 0) return specific;
    const directory = join(scratch, 'dockerignore');
    return this.progress.step('[internal] load .dockerignore', async () => {
      const wanted = { name: 'context', exclude: [], follow: ['.dockerignore'] };
      await receiveFiles(directory, session, wanted, this.#signal);
      return ignorePatterns(directory, filename);
    });
  }

  /** What the client wants made of the result. Throws `not-implemented` for exporters that are not known here. */
  #exporters(session: Session): readonly Exporter[] {
    const { Exporters, ExporterDeprecated, ExporterAttrsDeprecated } = this.#request;
    const exporters: readonly ExporterMessage[] =
      Exporters.length === 0 && ExporterDeprecated !== ''
        ? [{ Type: ExporterDeprecated, Attrs: ExporterAttrsDeprecated }]
        : Exporters;
    return planExports(session, exporters, this.#signal);
  }
}

function definitionFiles(filename: string): readonly string[] {
  const lower = filename === 'Dockerfile' ? ['dockerfile'] : [];
  return [filename, `${filename}.dockerignore`, ...lower];
}

async function remoteSource(
  remote: string,
  filename: string,
  scratch: string,
  signal: AbortSignal,
): Promise<BuildSource> {
  const directory = join(scratch, 'context');
  await mkdir(directory, { recursive: true });
  const fetched = await fetchRemote(remote, directory, signal);
  const dockerfile = fetched.dockerfile ?? (await readDockerfile(fetched.directory, filename));
  if (fetched.dockerfile === undefined) {
    await applyIgnorePatterns(fetched.directory, await ignorePatterns(fetched.directory, filename));
  }
  const context = () => Promise.resolve({ path: fetched.directory });
  const ignored = () => ignorePatterns(fetched.directory, filename);
  return { dockerfile, context, ignorePatterns: ignored, done: () => Promise.resolve() };
}

/** Tells a client what the checks found, once: before the steps begin, or when it comes to no step at all. */
class Warnings {
  readonly #progress: Progress;
  readonly #source: { readonly filename: string; readonly text: string };
  #checks: Checks | undefined;

  constructor(progress: Progress, source: { readonly filename: string; readonly text: string }) {
    this.#progress = progress;
    this.#source = source;
  }

  begin(checks: Checks): void {
    this.#checks = checks;
  }

  tell(): void {
    this.#progress.warn(this.#checks?.findings ?? [], this.#source);
    this.#checks = undefined;
  }
}

/** Notes where in the Dockerfile the first failure was. */
function watching(progress: Progress, plans: readonly BuildPlan[], failed: { at?: LineRange }) {
  const lines = new Map<Vertex, LineRange>();
  for (const { steps } of plans.flatMap(({ stages }) => stages)) {
    for (const { result, makesTree, location } of steps) {
      if (makesTree && result !== undefined) lines.set(result, location);
    }
  }
  return {
    started: (vertex: Vertex) => progress.started(vertex),
    output: (vertex: Vertex, stream: 'stdout' | 'stderr', chunk: Buffer) => progress.output(vertex, stream, chunk),
    done: (vertex: Vertex, outcome: { readonly cached: boolean; readonly error?: unknown }) => {
      const at = lines.get(vertex);
      if (outcome.error !== undefined && at !== undefined) failed.at ??= at;
      progress.done(vertex, outcome);
    },
  };
}

/** A failed build as BuildKit reports it: without a status of its own, which clients would put before the words. */
function withoutStatus(error: unknown): unknown {
  if (!(error instanceof Error) || grpcStatusOf(error) === GRPC.CANCELLED) return error;
  const details = error instanceof GrpcError ? error.grpcDetails : [];
  return new GrpcError(GRPC.UNKNOWN, error.message, { details, cause: error });
}

/** The error with the lines it lies on, in the form that buildx draws an excerpt from (BuildKit, errdefs.Source). */
function withSource(error: unknown, filename: string, dockerfile: string, at: LineRange | undefined): unknown {
  const location = error instanceof DockerfileError ? (error.location ?? at) : at;
  if (location === undefined || !(error instanceof Error)) return error;
  const source = {
    info: { filename, data: Buffer.from(dockerfile).toString('base64'), language: 'Dockerfile' },
    ranges: [{ start: { line: location.start }, end: { line: location.end } }],
  };
  const detail = {
    type_url: 'github.com/moby/buildkit/errdefs.Source+json',
    value: Buffer.from(JSON.stringify(source)),
  };
  return new GrpcError(grpcStatusOf(error), error.message, { details: [detail], cause: error });
}

/** What the front end hands the client: a reference for each platform, and the configurations (BuildKit, exptypes). */
function resultMessage({ result }: BuildOutcome): ResultMessage {
  const refs: Record<string, { readonly id: string }> = {};
  const metadata: Record<string, Uint8Array> = {};
  const platforms = result.platforms.map(({ platform, config }) => {
    const ID = formatPlatform(platform);
    refs[ID] = { id: randomBytes(16).toString('hex') };
    const suffix = result.isMultiPlatform ? `/${ID}` : '';
    metadata[`containerimage.config${suffix}`] = Buffer.from(JSON.stringify(config));
    return { ID, Platform: platform };
  });
  metadata['refs.platforms'] = Buffer.from(JSON.stringify({ Platforms: platforms }));
  const [only] = Object.values(refs);
  if (!result.isMultiPlatform && only !== undefined) return { ref: only, metadata };
  return { refs: { refs }, metadata };
}
