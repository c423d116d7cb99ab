import { randomBytes } from 'node:crypto';
import { systemClock, WharfError } from '@wharf/kit';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { GRPC, GrpcError } from '@wharf/wire/grpc/status';
import { BuildStatements } from '../attestations/statements.ts';
import type { Builder, BuildOutcome } from '../build.ts';
import type { Subrequest } from '../checks/subrequests.ts';
import type { LineRange } from '../dockerfile/location.ts';
import { Explainer } from '../explain/explainer.ts';
import type { CredentialsSource } from '../interfaces.ts';
import { MAX_HELD_RESULTS } from '../limits.ts';
import type { StepSecrets } from '../ops/step-mounts.ts';
import { imageError } from '../plan/image-error.ts';
import type { BuildPlan } from '../plan/plan.ts';
import type { PlanRequest } from '../planning.ts';
import type { Exporter } from '../result.ts';
import { type BuildSource, openSource } from './build-source.ts';
import { CacheJob } from './cache-job.ts';
import type { DefinitionMessage } from './definition.ts';
import { planExports } from './export-plan.ts';
import { vertexDetails, Warnings, watching, withDetails, withoutStatus, withSource } from './failure.ts';
import { type FrontendOptions, frontendOptions } from './frontend-options.ts';
import { JobContainers } from './gateway-container.ts';
import { solveSource } from './gateway-sources.ts';
import type { BridgeSolve, ControlSolve, ExporterMessage, ResultMessage } from './messages.ts';
import { explainMissing } from './missing-source.ts';
import { Progress } from './progress.ts';
import type { HeldResult, Results } from './results.ts';
import { sessionCredentials } from './session-credentials.ts';
import { SessionSecrets } from './session-secrets.ts';
import type { Session, Sessions } from './sessions.ts';

/** What the front end is asked for, as it came and as it is understood. */
interface FrontendRequest {
  readonly given: Pick<BridgeSolve, 'FrontendOpt' | 'FrontendInputs'>;
  readonly options: FrontendOptions;
}

/** One `Control/Solve`: a build that the client's gateway calls drive. */
export class BuildJob {
  readonly progress: Progress;
  readonly #builder: Builder;
  readonly #sessions: Sessions;
  readonly #results: Results;
  readonly #request: ControlSolve;
  readonly #signal: AbortSignal;
  readonly #returned = Promise.withResolvers<ResultMessage | undefined>();
  #outcome: BuildOutcome | undefined;
  #statements: BuildStatements | undefined;
  #failure: unknown;
  #failedRef: string | undefined;
  readonly #held: string[] = [];
  #isReleased = false;
  /** What the client looks into. */
  readonly containers: JobContainers;
  readonly #over = Promise.withResolvers<void>();

  constructor(options: {
    readonly builder: Builder;
    readonly sessions: Sessions;
    readonly results: Results;
    readonly request: ControlSolve;
    readonly signal: AbortSignal;
  }) {
    this.#builder = options.builder;
    this.#sessions = options.sessions;
    this.#results = options.results;
    this.#request = options.request;
    this.#signal = options.signal;
    this.progress = new Progress(options.request.Ref);
    this.containers = new JobContainers(options);
    this.#returned.promise.catch(() => undefined);
  }

  /** Resolves with what the exporters say once the client has returned its result; throws what the build failed with. */
  async finished(): Promise<Readonly<Record<string, string>>> {
    const gone = new Promise<never>((_, reject) => {
      this.#signal.addEventListener('abort', () => reject(this.#signal.reason), { once: true });
    });
    gone.catch(() => undefined);
    try {
      await Promise.race([this.#returned.promise, gone]);
      return this.response;
    } finally {
      await this.containers.close();
      this.#over.resolve();
    }
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
    if (error === undefined && this.#failedRef === undefined) this.#returned.resolve(result);
    else this.#returned.reject(this.#failure ?? new GrpcError(error?.code || GRPC.UNKNOWN, error?.message ?? ''));
  }

  /** Throws what a result failed with, which is there by name only. */
  evaluate(ref: string): void {
    if (ref !== '' && ref === this.#failedRef) throw this.#failure;
  }

  /** Nobody will ask about the build's results any more. */
  release(): void {
    this.#isReleased = true;
    for (const id of this.#held.splice(0)) this.#results.release(id);
  }

  /** What comes too late goes at once. */
  #keep(...ids: readonly string[]): void {
    this.#held.push(...ids);
    if (this.#isReleased) this.release();
  }

  /** What the client lends for questions about images. */
  async lends(): Promise<{ readonly credentials: CredentialsSource; readonly signal: AbortSignal }> {
    const session = await this.#sessions.get(this.#request.Session);
    return { credentials: sessionCredentials(session), signal: this.#signal };
  }

  /** Fetches a source that the client wants to look into; nothing for no source. */
  async look(definition: DefinitionMessage | undefined): Promise<ResultMessage> {
    if (definition === undefined) return { ref: { id: '' }, metadata: {} };
    if (this.#held.length >= MAX_HELD_RESULTS) {
      throw new WharfError('resource-exhausted', `Cannot look into more than ${MAX_HELD_RESULTS} sources in one build`);
    }
    const session = await this.#sessions.get(this.#request.Session);
    const { promise: released, resolve } = Promise.withResolvers<void>();
    const found = Promise.withResolvers<HeldResult>();
    const held = this.#builder.withScratch(async (scratch) => {
      using secrets = new SessionSecrets(session, scratch);
      const credentials = sessionCredentials(session);
      const tools = { builder: this.#builder, secrets, credentials, scratch, signal: this.#signal };
      found.resolve(await solveSource(definition, tools));
      // Its files are looked at until the build ends.
      await released;
    });
    held.catch(found.reject);
    const ref = this.#results.hold(await found.promise, resolve);
    this.#keep(ref.id);
    return { ref, metadata: {} };
  }

  /**
   * The Dockerfile front end: builds, and makes of the result what the exporters are for. Where a step fails, the answer is a result that
   * fails when it is evaluated or returned, as clients that debug builds expect it, unless `Evaluate` asks for the failure itself.
   */
  async solve(given: FrontendRequest['given'] & { readonly Evaluate?: boolean }): Promise<ResultMessage> {
    let isStep = false;
    try {
      const options = frontendOptions(given.FrontendOpt);
      if (options.question !== undefined) return await this.#answer(options.question, { given, options });
      const failed = Promise.withResolvers<never>();
      const building = this.#build({ given, options }, (error) => {
        isStep = true;
        failed.reject(error);
      });
      // A build that failed is held until the client has returned, which hears of the failure before.
      building.catch(() => undefined);
      const outcome = await Promise.race([building, failed.promise]);
      this.#outcome = outcome;
      return this.#resultMessage(outcome);
    } catch (error) {
      this.#failure = withoutStatus(withDetails(error, vertexDetails(this.progress.failed)));
      if (!isStep || given.Evaluate !== false) throw this.#failure;
      this.#failedRef = randomBytes(16).toString('hex');
      return { ref: { id: this.#failedRef }, metadata: {} };
    }
  }

  async #build(request: FrontendRequest, failing: (error: unknown) => void): Promise<BuildOutcome> {
    const { options } = request;
    const session = await this.#sessions.get(this.#request.Session);
    const caches = new CacheJob(this.#request, session, this.progress);
    const exporters = [...this.#exporters(session), ...caches.exporters];
    return this.#builder.withScratch(async (scratch) => {
      using secrets = new SessionSecrets(session, scratch);
      const source = await this.#source({ session, secrets, scratch }, request);
      const file = { filename: options.filename, text: source.dockerfile };
      const statements = new BuildStatements({
        ...{ attrs: request.given.FrontendOpt, dockerfile: file, invocation: this.#request.Ref, clock: systemClock },
      });
      this.#statements = statements;
      const failed: { at?: LineRange } = {};
      let planned: readonly BuildPlan[] = [];
      const warnings = new Warnings(this.progress, file);
      const explainer = this.#explainer(session, request);
      try {
        const { multiPlatform, network, extraHosts, limits } = options;
        return await this.#builder.build({
          ...this.#planRequest(options, source, warnings),
          ...{ exporters, multiPlatform, network, extraHosts, limits, secrets },
          ...caches.request,
          context: source.context,
          onPlans: (plans) => {
            planned = plans;
            warnings.tell();
            this.progress.plan(plans);
            const observer = statements.capture.watch(watching(this.progress, plans, failed));
            return caches.watch(explainer.watch(observer, plans));
          },
          attest: statements.attest,
          whenFailed: async (error, step) => {
            if (step === undefined) return;
            const told = withSource(error, options.filename, source.dockerfile, failed.at);
            failing(withDetails(told, [this.containers.hold(step)]));
            await this.#over.promise;
          },
          exportStep: (title, work) => this.progress.step(title, work),
        });
      } catch (error) {
        const explained = await explainMissing(error, {
          ...{ plans: planned, at: failed.at, list: source.list, ignorePatterns: source.ignorePatterns },
        });
        throw withSource(explained, options.filename, source.dockerfile, failed.at);
      } finally {
        warnings.tell();
        await explainer.save();
        await source.done();
      }
    });
  }

  /** Remembers what the lines of the Dockerfile come to, and says what has changed where the client wants to know. */
  #explainer({ sharedKey }: Session, { given, options }: FrontendRequest): Explainer {
    const { filename, platforms, buildArgs } = options;
    return new Explainer({
      histories: this.#builder.lines,
      name: JSON.stringify([sharedKey, given.FrontendOpt['context'] ?? '', filename, platforms]),
      buildArguments: buildArgs.keys(),
      tell:
        given.FrontendOpt['wharf.explain'] === 'true'
          ? (vertex, text) => this.progress.explain(vertex, text)
          : undefined,
    });
  }

  /** Tells something of the Dockerfile and builds nothing. */
  async #answer(question: Subrequest, request: FrontendRequest): Promise<ResultMessage> {
    const { options } = request;
    const session = await this.#sessions.get(this.#request.Session);
    return this.#builder.withScratch(async (scratch) => {
      using secrets = new SessionSecrets(session, scratch);
      const source = await this.#source({ session, secrets, scratch }, request);
      const warnings = new Warnings(this.progress, { filename: options.filename, text: source.dockerfile });
      try {
        const plan = this.#planRequest(options, source, question === 'lint' ? undefined : warnings);
        const answer = await this.#builder.inspect(question, options.filename, plan);
        return { metadata: Object.fromEntries(Object.entries(answer).map(([key, text]) => [key, Buffer.from(text)])) };
      } catch (error) {
        throw withSource(error, options.filename, source.dockerfile, undefined);
      } finally {
        warnings.tell();
        await source.done();
      }
    });
  }

  /** What the client allows its build, as far as this daemon does. */
  #entitlements(): ReadonlySet<string> {
    const { Entitlements } = this.#request;
    const refused = Entitlements.find((each) => !this.#builder.entitlements.has(each));
    if (refused === undefined) return new Set(Entitlements);
    const text = `granting entitlement ${refused} is not allowed by build daemon configuration`;
    throw new WharfError('permission-denied', text);
  }

  #planRequest(options: FrontendOptions, source: BuildSource, warnings: Warnings | undefined): PlanRequest {
    const { buildArgs, labels, target, platforms, noCache, noCacheStages, pull } = options;
    return {
      ...{ buildArgs, labels, target, platforms, noCache, noCacheStages, pull },
      dockerfile: source.dockerfile,
      namedSource: source.namedSource,
      credentials: source.credentials,
      cacheFrom: undefined,
      signal: this.#signal,
      ...{ imageError, entitlements: this.#entitlements() },
      ignorePatterns: source.ignorePatterns,
      onChecks: (checks) => warnings?.begin(checks),
      onPull: () => undefined,
      whileResolving: (title, work) => this.progress.step(title, work),
    };
  }

  /** Where Dockerfile and contexts come from. */
  #source(
    {
      session,
      secrets,
      scratch,
    }: { readonly session: Session; readonly secrets: StepSecrets; readonly scratch: string },
    { given, options }: FrontendRequest,
  ): Promise<BuildSource> {
    return openSource({
      ...{ builder: this.#builder, sessions: this.#sessions, results: this.#results, session, secrets, scratch },
      ...{ given: given.FrontendOpt, inputs: given.FrontendInputs, filename: options.filename },
      ...{ progress: this.progress, signal: this.#signal },
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

  /** What the front end hands the client: a reference for each platform, and the configurations (BuildKit, exptypes). */
  #resultMessage({ result }: BuildOutcome): ResultMessage {
    const refs: Record<string, { readonly id: string; readonly def: object }> = {};
    const metadata: Record<string, Uint8Array> = {};
    const platforms = result.platforms.map((each) => {
      const { platform, config } = each;
      const ID = formatPlatform(platform);
      refs[ID] = this.#results.hold({ kind: 'tree', ...each });
      const suffix = result.isMultiPlatform ? `/${ID}` : '';
      metadata[`containerimage.config${suffix}`] = Buffer.from(JSON.stringify(config));
      return { ID, Platform: platform };
    });
    this.#keep(...Object.values(refs).map(({ id }) => id));
    metadata['refs.platforms'] = Buffer.from(JSON.stringify({ Platforms: platforms }));
    const [only] = Object.values(refs);
    if (!result.isMultiPlatform && only !== undefined) return { ref: only, metadata };
    return { refs: { refs }, metadata };
  }
}
