import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isKind, WharfError } from '@wharf/kit';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { GRPC, GrpcError, grpcStatusOf } from '@wharf/wire/grpc/status';
import type { Builder, BuildOutcome, ContextDirectory } from '../build.ts';
import { fetchRemote } from '../docker-api/remote-context.ts';
import { DockerfileError, type LineRange } from '../dockerfile/location.ts';
import { contextPaths } from '../plan/context-paths.ts';
import type { BuildPlan } from '../plan/plan.ts';
import type { Vertex } from '../plan/vertex.ts';
import type { Exporter } from '../result.ts';
import { applyIgnorePatterns, ignorePatterns, readDockerfile } from '../sources/context.ts';
import { planExports } from './export-plan.ts';
import { type FrontendOptions, frontendOptions } from './frontend-options.ts';
import type { ControlSolve, ExporterMessage, ResultMessage } from './messages.ts';
import { Progress } from './progress.ts';
import { receiveTree } from './receive-tree.ts';
import { SessionSecrets } from './session-secrets.ts';
import type { Session, Sessions } from './sessions.ts';

/** Where a build's files come from. */
interface BuildSource {
  readonly dockerfile: string;
  readonly context: (plans: readonly BuildPlan[]) => Promise<ContextDirectory>;
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
    return Object.assign({}, ...(this.#outcome?.responses ?? []));
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
      const outcome = await this.#build(frontendOptions(frontendOpt));
      this.#outcome = outcome;
      return resultMessage(outcome);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  async #build(options: FrontendOptions): Promise<BuildOutcome> {
    const session = await this.#sessions.get(this.#request.Session);
    const exporters = this.#exporters(session);
    return this.#builder.withScratch(async (scratch) => {
      using secrets = new SessionSecrets(session, scratch);
      const source = await this.#source(session, options, scratch);
      const failed: { at?: LineRange } = {};
      try {
        const { buildArgs, labels, target, platforms, multiPlatform, noCache, pull } = options;
        const { network, extraHosts, limits } = options;
        return await this.#builder.build({
          ...{ exporters, buildArgs, labels, target, platforms, multiPlatform, noCache, pull },
          ...{ network, extraHosts, limits, secrets },
          dockerfile: source.dockerfile,
          cacheFrom: undefined,
          context: source.context,
          signal: this.#signal,
          onPlans: (plans) => {
            this.progress.plan(plans);
            return watching(this.progress, plans, failed);
          },
          onPull: () => undefined,
          exportStep: (title, work) => this.progress.step(title, work),
        });
      } catch (error) {
        throw withSource(error, options.filename, source.dockerfile, failed.at);
      } finally {
        await source.done();
      }
    });
  }

  /** Where Dockerfile and context come from: the session, or an address that the daemon fetches. */
  async #source(session: Session, { filename, remote }: FrontendOptions, scratch: string): Promise<BuildSource> {
    if (/^(https?:\/\/|git|ssh:\/\/)/.test(remote)) return remoteSource(remote, filename, scratch, this.#signal);
    const own = join(scratch, 'dockerfile');
    const dockerfile = await this.progress.step(`[internal] load build definition from ${filename}`, async () => {
      await receive(session, { name: 'dockerfile', exclude: [], follow: definitionFiles(filename) }, own, this.#signal);
      return readDockerfile(own, filename === 'Dockerfile' ? '' : filename).catch((error: unknown) => {
        if (!isKind(error, 'invalid-argument')) throw error;
        throw new WharfError('not-found', `failed to read dockerfile: open ${filename}: no such file or directory`);
      });
    });
    const directory = join(scratch, 'context');
    const { contexts } = this.#builder;
    const key = session.sharedKey === '' ? undefined : session.sharedKey;
    let whole = false;
    return {
      dockerfile,
      context: async (plans) => {
        const ignoring = join(scratch, 'dockerignore');
        await receive(session, { name: 'context', exclude: [], follow: ['.dockerignore'] }, ignoring, this.#signal);
        const specific = await ignorePatterns(own, filename);
        const exclude = specific.length > 0 ? specific : await ignorePatterns(ignoring, filename);
        const previous = key === undefined ? undefined : contexts.find(key);
        const wanted = { name: 'context', exclude, follow: contextPaths(plans), previous };
        await receive(session, wanted, directory, this.#signal);
        whole = true;
        return key === undefined ? { path: directory } : { path: directory, digests: contexts.digests(key) };
      },
      done: async () => {
        if (whole && key !== undefined) await contexts.keep(key, directory);
      },
    };
  }

  /** What the client wants made of the result. Throws `not-implemented` for exporters that are not known here. */
  #exporters(session: Session): readonly Exporter[] {
    const { Exporters, ExporterDeprecated, ExporterAttrsDeprecated } = this.#request;
    const exporters: readonly ExporterMessage[] =
      Exporters.length === 0 && ExporterDeprecated !== ''
        ? [{ Type: ExporterDeprecated, Attrs: ExporterAttrsDeprecated }]
        : Exporters;
    return planExports(session, exporters);
  }
}

/** Fetches into a directory that it makes. */
async function receive(...args: Parameters<typeof receiveTree>): Promise<void> {
  await mkdir(args[2], { recursive: true });
  await receiveTree(...args);
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
  return { dockerfile, context, done: () => Promise.resolve() };
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
