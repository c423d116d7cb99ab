import { type Logger, WharfError } from '@wharf/kit';
import { decode, encode, type MessageType } from '@wharf/wire/grpc/protobuf';
import type { GrpcCall, GrpcHandler, GrpcMethods } from '@wharf/wire/grpc/server';
import type { Builder } from '../build.ts';
import { buildkitFilter } from '../cache-filter.ts';
import { runnablePlatforms } from '../emulation.ts';
import { contentMethods } from './content-service.ts';
import { drive, isOwnFrontend } from './drive.ts';
import { execProcesses } from './exec-process.ts';
import { firstMessage } from './first-message.ts';
import { gatewayFiles } from './gateway-files.ts';
import { type NewContainer, NewContainerRequest, ReleaseContainerRequest } from './gateway-messages.ts';
import { historyRequest, historyUpdate, listenHistory, replayStatus, updateHistory } from './history-service.ts';
import { BuildJob } from './job.ts';
import * as pb from './messages.ts';
import { recordBuild } from './record-build.ts';
import { Results } from './results.ts';
import { serveSession } from './session-stream.ts';
import type { Sessions } from './sessions.ts';

/** How long a call about a build waits for the build itself, which comes on a stream of its own. */
const JOB_WAIT_MS = 10_000;
/** How long the end of a build can be asked for afterwards. */
const JOB_KEPT_MS = 60_000;
const BUILD_ID = 'buildkit-controlapi-buildid';

/** What the front end may count on (BuildKit, gateway `caps.go` and llb `caps.go`). */
const GATEWAY_CAPS = [
  ...['solve.base', 'solve.inlinereturn', 'resolveimage', 'return', 'returnmap', 'proto.refarray'],
  ...['gateway.solve.metadata', 'gateway.solve.evaluate', 'gateway.evaluate', 'gateway.warnings', 'frontend.caps'],
  ...['frontend.inputs', 'reference.output', 'gateway.exec', 'gateway.exec.signals'],
  ...['readfile', 'readdir', 'statfile', 'source.metaresolver', 'importcaches', 'resolveimage.resolvemode'],
];
const LLB_CAPS = [
  ...['source.image', 'source.local', 'source.local.unique', 'source.local.sessionid', 'source.local.includepatterns'],
  ...['source.local.followpaths', 'source.local.excludepatterns', 'source.local.sharedkeyhint', 'source.http'],
  ...['source.git', 'source.git.keepgitdir', 'source.git.fullurl', 'source.git.httpauth', 'source.git.subdir'],
  ...['source.git.knownsshhosts', 'source.git.mountsshsock', 'source.git.checksum', 'source.ocilayout'],
  ...['exec.meta.base', 'exec.mount.bind', 'exec.mount.cache', 'exec.mount.cache.sharing', 'exec.mount.tmpfs'],
  ...['exec.mount.secret', 'exec.mount.ssh', 'file.base', 'constraints', 'platform', 'meta.ignorecache'],
  'meta.description',
  ...['exporter.multiple', 'exporter.image.annotations', 'exporter.image.attestations', 'exporter.sourcedateepoch'],
];

/** BuildKit's services as buildx speaks to them through the docker driver: Control, and the gateway for the builds it drives. */
export class BuildKitServer {
  readonly #builder: Builder;
  readonly #sessions: Sessions;
  readonly #results: Results;
  readonly #log: Logger;
  readonly #version: string;
  readonly #jobs = new Map<string, BuildJob>();
  readonly #waiting = new Map<string, Set<(job: BuildJob) => void>>();

  constructor(options: {
    readonly builder: Builder;
    readonly sessions: Sessions;
    readonly log: Logger;
    readonly version: string;
  }) {
    this.#builder = options.builder;
    this.#sessions = options.sessions;
    this.#results = new Results(options.builder);
    this.#log = options.log;
    this.#version = options.version;
  }

  /** The methods by their path. */
  get methods(): GrpcMethods {
    const control = '/moby.buildkit.v1.Control/';
    const bridge = '/moby.buildkit.v1.frontend.LLBBridge/';
    const nothing = unary(pb.Empty, pb.Empty, async () => ({}));
    return new Map<string, GrpcHandler>([
      [`${control}ListWorkers`, unary(pb.Empty, pb.ListWorkersResponse, async () => ({ record: [this.#worker()] }))],
      [`${control}Info`, unary(pb.Empty, pb.InfoResponse, async () => ({ buildkitVersion: this.#buildkitVersion() }))],
      [`${control}Solve`, (call) => this.#solve(call)],
      [`${control}Status`, (call) => this.#status(call)],
      [`${control}Session`, (call) => serveSession(this.#sessions, call)],
      [`${control}DiskUsage`, unary(pb.DiskUsageRequest, pb.DiskUsageResponse, (asked) => this.#diskUsage(asked))],
      [`${control}Prune`, (call) => this.#prune(call)],
      [`${control}ListenBuildHistory`, (call) => this.#listenHistory(call)],
      [`${control}UpdateBuildHistory`, (call) => this.#updateHistory(call)],
      ...contentMethods(() => [this.#builder.history.content, this.#builder.content]),
      [`${bridge}Ping`, unary(pb.Empty, pb.PongResponse, async () => this.#pong())],
      [`${bridge}Solve`, (call) => this.#bridgeSolve(call)],
      [`${bridge}Return`, (call) => this.#return(call)],
      [`${bridge}NewContainer`, (call) => this.#newContainer(call)],
      [`${bridge}ReleaseContainer`, (call) => this.#releaseContainer(call)],
      [`${bridge}ExecProcess`, async (call) => execProcesses((await this.#job(buildId(call))).containers, call)],
      ...gatewayFiles(this.#builder, this.#results, async (call) => (await this.#job(buildId(call))).lends()),
      [`${bridge}Evaluate`, (call) => this.#evaluate(call)],
      [`${bridge}Warn`, nothing],
      ['/opentelemetry.proto.collector.trace.v1.TraceService/Export', nothing],
      ['/grpc.health.v1.Health/Check', unary(pb.Empty, pb.Healthy, async () => ({ status: 1 }))],
    ]);
  }

  async #solve(call: GrpcCall): Promise<void> {
    const request = decode<pb.ControlSolve>(pb.ControlSolveRequest, await firstMessage(call));
    if (this.#jobs.has(request.Ref)) throw new WharfError('already-exists', `build ${request.Ref} exists`);
    const { Frontend, FrontendAttrs, FrontendInputs = {} } = request;
    const isDriven = Frontend === '';
    if (!isDriven && !isOwnFrontend(Frontend, FrontendAttrs)) {
      throw new WharfError('not-implemented', `Cannot run front end "${Frontend}": this builder takes Dockerfiles`);
    }
    const shared = { builder: this.#builder, sessions: this.#sessions, results: this.#results };
    const job = new BuildJob({ ...shared, request, signal: call.signal });
    this.#jobs.set(request.Ref, job);
    for (const tell of this.#waiting.get(request.Ref) ?? []) tell(job);
    this.#waiting.delete(request.Ref);
    const recording = request.Internal ? undefined : recordBuild(this.#builder.history, request, job);
    try {
      const ExporterResponse = await (isDriven
        ? job.finished()
        : drive(job, { FrontendOpt: FrontendAttrs, FrontendInputs }));
      job.progress.finish();
      recording?.ended();
      await call.send(encode(pb.ControlSolveResponse, { ExporterResponse }));
    } catch (error) {
      recording?.ended(error);
      throw error;
    } finally {
      job.progress.finish();
      const forgotten = new AbortController();
      setTimeout(() => {
        this.#jobs.delete(request.Ref);
        forgotten.abort();
        job.release();
      }, JOB_KEPT_MS).unref();
      // Another build of the same client may stand on its results, and nobody else.
      this.#sessions.onceGone(request.Session, forgotten.signal, () => job.release());
    }
  }

  async #status(call: GrpcCall): Promise<void> {
    const { Ref } = decode<{ readonly Ref: string }>(pb.StatusRequest, await firstMessage(call));
    const record = this.#jobs.has(Ref) ? undefined : await this.#builder.history.find(Ref);
    if (record?.completedAt !== undefined) return replayStatus(this.#builder.history, record, call);
    const job = await this.#job(Ref);
    for await (const status of job.progress.follow(call.signal)) await call.send(encode(pb.StatusResponse, status));
  }

  async #listenHistory(call: GrpcCall): Promise<void> {
    await listenHistory(this.#builder.history, historyRequest(await firstMessage(call)), call);
  }

  async #updateHistory(call: GrpcCall): Promise<void> {
    await updateHistory(this.#builder.history, historyUpdate(await firstMessage(call)));
    await call.send(Buffer.alloc(0));
  }

  async #bridgeSolve(call: GrpcCall): Promise<void> {
    const request = decode<pb.BridgeSolve>(pb.BridgeSolveRequest, await firstMessage(call));
    if (!/^(dockerfile\.v0)?$/.test(request.Frontend)) {
      throw new WharfError(
        'not-implemented',
        `Cannot run front end "${request.Frontend}": "dockerfile.v0" is the only one`,
      );
    }
    const job = await this.#job(buildId(call));
    const result = request.Frontend === '' ? await job.look(request.Definition) : await job.solve(request);
    await call.send(encode(pb.BridgeSolveResponse, { result }));
  }

  async #evaluate(call: GrpcCall): Promise<void> {
    const { Ref } = decode<{ readonly Ref: string }>(pb.EvaluateRequest, await firstMessage(call));
    (await this.#job(buildId(call))).evaluate(Ref);
    await call.send(Buffer.alloc(0));
  }

  async #newContainer(call: GrpcCall): Promise<void> {
    const request = decode<NewContainer>(NewContainerRequest, await firstMessage(call));
    await (await this.#job(buildId(call))).containers.create(request);
    await call.send(Buffer.alloc(0));
  }

  async #releaseContainer(call: GrpcCall): Promise<void> {
    const { ContainerID } = decode<Pick<NewContainer, 'ContainerID'>>(
      ReleaseContainerRequest,
      await firstMessage(call),
    );
    await (await this.#job(buildId(call))).containers.release(ContainerID);
    await call.send(Buffer.alloc(0));
  }

  async #return(call: GrpcCall): Promise<void> {
    const { result, error } = decode<pb.Returned>(pb.ReturnRequest, await firstMessage(call));
    (await this.#job(buildId(call))).return(result, error);
    await call.send(Buffer.alloc(0));
  }

  /** The build of a reference; calls about it may come before it does. */
  #job(ref: string): Promise<BuildJob> {
    const job = this.#jobs.get(ref);
    if (job !== undefined) return Promise.resolve(job);
    const waiting = this.#waiting.get(ref) ?? new Set();
    this.#waiting.set(ref, waiting);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        waiting.delete(resolve);
        if (waiting.size === 0) this.#waiting.delete(ref);
        this.#log.debug({ ref }, 'nobody began the build that was asked about');
        reject(new WharfError('not-found', `no such job ${ref}`));
      }, JOB_WAIT_MS);
      waiting.add((found) => {
        clearTimeout(timer);
        resolve(found);
      });
    });
  }

  #worker(): object {
    const gateway = this.#builder.hostGateway();
    return {
      ID: 'wharf',
      Labels: {
        'org.mobyproject.buildkit.worker.executor': 'wharf',
        'org.mobyproject.buildkit.worker.hostname': 'wharf',
        // buildx asks for archives, indexes, pushes and caches only where images are kept as containerd's store keeps them: so they are.
        'org.mobyproject.buildkit.worker.snapshotter': 'overlayfs',
        // What buildx puts in place of `--add-host NAME:host-gateway`.
        ...(gateway === undefined ? {} : { 'org.mobyproject.buildkit.worker.moby.host-gateway-ip': gateway }),
      },
      platforms: runnablePlatforms().map(({ os, architecture, variant = '' }) => ({
        ...{ OS: os, Architecture: architecture, Variant: variant },
      })),
      BuildkitVersion: this.#buildkitVersion(),
    };
  }

  #buildkitVersion(): object {
    return { package: 'wharf', version: this.#version, revision: '', dockerfileVersion: '1.20' };
  }

  #pong(): object {
    const enabled = (ID: string) => ({ ID, Enabled: true });
    return { FrontendAPICaps: GATEWAY_CAPS.map(enabled), LLBCaps: LLB_CAPS.map(enabled), Workers: [this.#worker()] };
  }

  async #diskUsage(asked: object): Promise<object> {
    const { filter } = asked as { readonly filter: readonly string[] };
    const { matches } = buildkitFilter(filter, undefined);
    return { record: (await this.#builder.usage.list()).filter(matches).map(usageRecord) };
  }

  async #prune(call: GrpcCall): Promise<void> {
    const request = decode<pb.Prune>(pb.PruneRequest, await firstMessage(call));
    const { all, filter, keepDuration, reservedSpace, maxUsedSpace, minFreeSpace } = request;
    const unusedSince = keepDuration > 0 ? Date.now() - keepDuration / 1e6 : undefined;
    const removed = await this.#builder.usage.prune({
      ...{ all, filter: buildkitFilter(filter, unusedSince) },
      ...{ reservedBytes: reservedSpace, maxUsedBytes: maxUsedSpace, minFreeBytes: minFreeSpace },
    });
    for (const entry of removed) await call.send(encode(pb.UsageRecordMessage, usageRecord(entry)));
  }
}

function usageRecord(entry: Awaited<ReturnType<Builder['usage']['list']>>[number]): object {
  return {
    ...{ InUse: entry.inUse, Mutable: entry.kind !== 'regular' },
    ...{ ID: entry.id, Size: entry.sizeBytes, Description: entry.description, UsageCount: entry.uses },
    ...{ Shared: entry.shared, RecordType: entry.kind, Parents: entry.parent === '' ? [] : [entry.parent] },
    CreatedAt: pb.timestamp(entry.createdAt),
    LastUsedAt: pb.timestamp(entry.lastUsedAt),
  };
}

function buildId(call: GrpcCall): string {
  const [id] = call.metadata.get(BUILD_ID) ?? [];
  if (id === undefined) throw new WharfError('invalid-argument', `Cannot tell which build is meant: no "${BUILD_ID}"`);
  return id;
}

function unary(request: MessageType, response: MessageType, answer: (value: object) => Promise<object>): GrpcHandler {
  return async (call) => {
    const value = decode<object>(request, await firstMessage(call));
    await call.send(encode(response, await answer(value)));
  };
}
