import { GRPC, type GrpcDetail, GrpcError, grpcStatusOf } from '@wharf/wire/grpc/status';
import type { Checks } from '../checks/checks.ts';
import { type LineRange, locationOf } from '../dockerfile/location.ts';
import type { BuildPlan } from '../plan/plan.ts';
import type { Vertex } from '../plan/vertex.ts';
import type { Progress } from './progress.ts';

/** Tells a client what the checks found, once: before the steps begin, or when it comes to no step at all. */
export class Warnings {
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
export function watching(progress: Progress, plans: readonly BuildPlan[], failed: { at?: LineRange }) {
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
export function withoutStatus(error: unknown): unknown {
  if (!(error instanceof Error) || grpcStatusOf(error) === GRPC.CANCELLED) return error;
  const details = error instanceof GrpcError ? error.grpcDetails : [];
  return new GrpcError(GRPC.UNKNOWN, error.message, { details, cause: error });
}

/** The error with the lines it lies on, in the form that buildx draws an excerpt from (BuildKit, errdefs.Source). */
export function withSource(error: unknown, filename: string, dockerfile: string, at: LineRange | undefined): unknown {
  const location = locationOf(error) ?? at;
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

/** The error with more that clients are told beside its words. */
export function withDetails(error: unknown, details: readonly GrpcDetail[]): unknown {
  if (details.length === 0 || !(error instanceof Error)) return error;
  const known = error instanceof GrpcError ? error.grpcDetails : [];
  return new GrpcError(grpcStatusOf(error), error.message, { details: [...known, ...details], cause: error });
}

/** Names the step that failed, so that clients can find its log again (BuildKit, errdefs.Vertex). */
export function vertexDetails(digest: string | undefined): readonly GrpcDetail[] {
  if (digest === undefined) return [];
  const value = Buffer.from(JSON.stringify({ digest }));
  return [{ type_url: 'github.com/moby/buildkit/errdefs.Vertex+json', value }];
}
