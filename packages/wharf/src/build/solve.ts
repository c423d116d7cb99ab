import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import {
  BridgeSolveRequest,
  BridgeSolveResponse,
  ControlSolveRequest,
  ControlSolveResponse,
  ListWorkersResponse,
  type ResultMessage,
  ReturnRequest,
  type StatusMessage,
  StatusRequest,
  StatusResponse,
} from '@wharf/builder/buildkit/messages';
import { WharfError } from '@wharf/kit';
import type { DockerClient } from '@wharf/wire/docker-client/client';
import { GrpcClient } from '@wharf/wire/grpc/client';
import { decode, encode } from '@wharf/wire/grpc/protobuf';
import { GrpcError, grpcStatusOf } from '@wharf/wire/grpc/status';
import type { CachePlaces } from './cache-options.ts';
import { LAST_STATUS_MS } from './limits.ts';
import type { Exporter } from './outputs.ts';
import { upgrade } from './upgrade.ts';

const CONTROL = '/moby.buildkit.v1.Control/';
const BRIDGE = '/moby.buildkit.v1.frontend.LLBBridge/';
const BUILD_ID = 'buildkit-controlapi-buildid';

/** A build as the daemon is asked for it. */
export interface SolveOrder {
  readonly session: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly exporters: readonly Exporter[];
  readonly caches: CachePlaces;
  readonly entitlements: readonly string[];
  /** Leaves no trace in the history. */
  readonly internal: boolean;
}

/** A build that failed and is still open: what failed can be looked at until the hook ends. */
export interface FailedBuild {
  readonly client: GrpcClient;
  /** Goes with every call about it. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly error: GrpcError;
}

export interface SolveHooks {
  readonly signal: AbortSignal;
  readonly onStatus: (status: StatusMessage) => void;
  readonly onFailure?: ((failed: FailedBuild) => Promise<void>) | undefined;
}

export interface Solved {
  readonly ref: string;
  /** The daemon has pushed what was to be pushed; another kind of daemon leaves that to its client. */
  readonly isPushed: boolean;
  /** What the exporters say. */
  readonly answer: Readonly<Record<string, string>>;
  /** What the front end says: answers to questions, the image's configuration. */
  readonly metadata: Readonly<Record<string, Uint8Array>>;
}

/** The connection that a build is driven on. */
export function openControl(daemon: DockerClient, signal: AbortSignal): Promise<Duplex> {
  return upgrade(daemon, '/grpc', { signal });
}

/**
 * Has the daemon build (BuildKit, `Control.Solve` with the client as the gateway): the front end is asked for a result, and the result is
 * returned to be exported. Throws GrpcError with its details when it fails, the signal's reason when that aborts.
 */
export async function solve(socket: Duplex, order: SolveOrder, hooks: SolveHooks): Promise<Solved> {
  const { signal } = hooks;
  const client = new GrpcClient(socket);
  const leave = (): void => void socket.destroy();
  signal.addEventListener('abort', leave, { once: true });
  try {
    return await drive(client, order, hooks);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', leave);
    client.close();
    socket.destroy();
  }
}

async function drive(client: GrpcClient, order: SolveOrder, hooks: SolveHooks): Promise<Solved> {
  const ref = randomUUID().replaceAll('-', '').slice(0, 25);
  const { signal } = hooks;
  const metadata = { [BUILD_ID]: ref };
  const isPushed = order.exporters.some(isPush) && (await pushesItself(client, signal));
  const request = controlRequest(ref, isPushed ? order : { ...order, exporters: order.exporters.map(withoutPush) });
  const solving = client.unary(`${CONTROL}Solve`, encode(ControlSolveRequest, request), signal);
  solving.catch(() => undefined);
  const watching = watch(client, ref, hooks);
  const bridge = async (): Promise<ResultMessage> => {
    const bytes = await client.unary(
      `${BRIDGE}Solve`,
      encode(BridgeSolveRequest, bridgeRequest(order)),
      signal,
      metadata,
    );
    const { result } = decode<{ readonly result?: ResultMessage }>(BridgeSolveResponse, bytes);
    if (result === undefined) throw new WharfError('internal', 'the daemon answered without a result');
    return result;
  };
  try {
    // A request that makes no sense fails before there is anything to ask of it.
    const result = await Promise.race([bridge(), solving.then(() => new Promise<never>(() => undefined))]);
    await client.unary(`${BRIDGE}Return`, encode(ReturnRequest, { result }), signal, metadata);
    const { ExporterResponse } = decode<{ readonly ExporterResponse: Readonly<Record<string, string>> }>(
      ControlSolveResponse,
      await solving,
    );
    return { ref, isPushed, answer: ExporterResponse, metadata: result.metadata };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof GrpcError) {
      await hooks.onFailure?.({ client, metadata, error });
      const verdict = { code: grpcStatusOf(error), message: error.message };
      await client
        .unary(`${BRIDGE}Return`, encode(ReturnRequest, { error: verdict }), signal, metadata)
        .catch(() => undefined);
    }
    throw error;
  } finally {
    await Promise.race([watching, new Promise<void>((resolve) => setTimeout(resolve, LAST_STATUS_MS).unref())]);
  }
}

/** What a worker that keeps images in snapshots says of itself; then its exporter of images pushes (buildx, "direct push"). */
const SNAPSHOTS = 'org.mobyproject.buildkit.worker.snapshotter';

async function pushesItself(client: GrpcClient, signal: AbortSignal): Promise<boolean> {
  const answer = await client.unary(`${CONTROL}ListWorkers`, Buffer.alloc(0), signal);
  const { record } = decode<{ readonly record: readonly { readonly Labels: Readonly<Record<string, string>> }[] }>(
    ListWorkersResponse,
    answer,
  );
  return record.some(({ Labels }) => Object.hasOwn(Labels, SNAPSHOTS));
}

function isPush({ type, attributes }: Exporter): boolean {
  return type === 'moby' && attributes['push'] === 'true';
}

function withoutPush(exporter: Exporter): Exporter {
  const { push: _push, ...attributes } = exporter.attributes;
  return isPush(exporter) ? { ...exporter, attributes } : exporter;
}

/** Hands on what happens, until the daemon says no more. What goes wrong with that is no failure of the build. */
async function watch(client: GrpcClient, ref: string, { signal, onStatus }: SolveHooks): Promise<void> {
  const call = client.open(`${CONTROL}Status`, {}, signal);
  try {
    await call.send(encode(StatusRequest, { Ref: ref }));
    call.end();
    for await (const bytes of call.messages) onStatus(decode<StatusMessage>(StatusResponse, bytes));
  } catch (error) {
    if (!(error instanceof GrpcError)) throw error;
  }
}

function controlRequest(Ref: string, { session, exporters, caches, entitlements, internal }: SolveOrder): object {
  const Exporters = exporters.map(({ type, attributes }) => ({ Type: type, Attrs: attributes }));
  const [first] = Exporters;
  return {
    ...{ Ref, Session: session, Frontend: '', Exporters, Internal: internal, Entitlements: entitlements },
    ExporterDeprecated: first?.Type ?? '',
    ExporterAttrsDeprecated: first?.Attrs ?? {},
    Cache: { Exports: caches.exports, Imports: caches.imports },
  };
}

function bridgeRequest({ attributes, caches }: SolveOrder): object {
  return {
    Frontend: 'dockerfile.v0',
    FrontendOpt: attributes,
    // A failure is to be the answer, not to come when somebody asks for the result.
    Evaluate: true,
    CacheImports: caches.imports,
  };
}
