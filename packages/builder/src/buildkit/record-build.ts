import { messageOf, redact } from '@wharf/kit';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { errorStatus, grpcStatusOf } from '@wharf/wire/grpc/status';
import type { BuildStatements } from '../attestations/statements.ts';
import type { BuildOutcome } from '../build.ts';
import type { BuildHistory, KeepDocument } from '../history/history.ts';
import type { BuildRecord, RecordBlob, RecordResult } from '../history/record.ts';
import type { BuildPlan } from '../plan/plan.ts';
import { encodeLog, LOG_TYPE } from './history-service.ts';
import type { ControlSolve } from './messages.ts';
import type { Progress } from './progress.ts';

/** What a build's error with its details is called (BuildKit spells it so). */
const ERROR_TYPE = 'application/vnd.googeapis.google.rpc.status+proto';

const IN_TOTO = 'application/vnd.in-toto+json';

/** A build as its record is made of it. */
export interface RecordedBuild {
  readonly progress: Progress;
  /** What the exporters said. */
  readonly response: Readonly<Record<string, string>>;
  readonly outcome: BuildOutcome | undefined;
  readonly statements: BuildStatements | undefined;
}

/** Has a build recorded in the history; `ended` is to be called once, with what it failed with. */
export function recordBuild(
  history: BuildHistory,
  request: Pick<ControlSolve, 'Ref' | 'Frontend' | 'FrontendAttrs' | 'Exporters'>,
  job: RecordedBuild,
): { ended(error?: unknown): void } {
  const attrs = Object.fromEntries(Object.entries(request.FrontendAttrs).map(([key, value]) => [key, redact(value)]));
  const exporters = request.Exporters.map(({ Type, Attrs }) => ({ type: Type, attrs: Attrs }));
  history.begin({ ref: request.Ref, frontend: request.Frontend, attrs, exporters });
  return {
    ended: (error) =>
      history.end(request.Ref, async (keep) => {
        const { progress } = job;
        const logs = await keep(encodeLog(progress.messages), { mediaType: LOG_TYPE });
        const failure =
          error === undefined
            ? { response: job.response }
            : {
                error: { code: grpcStatusOf(error), message: messageOf(error) },
                errorDetails: await keep([errorStatus(error)], { mediaType: ERROR_TYPE }),
              };
        return { logs, steps: progress.steps, ...failure, ...(await resultsOf(job, keep)) };
      }),
  };
}

/** What came of a build, and how, for each platform. */
async function resultsOf(job: RecordedBuild, keep: KeepDocument): Promise<Pick<BuildRecord, 'result' | 'results'>> {
  const { outcome, statements } = job;
  if (outcome === undefined || statements === undefined) return {};
  const provenance = async (plan: BuildPlan) => {
    const { predicateType, predicate } = statements.forHistory(plan);
    const annotations = { 'in-toto.io/predicate-type': predicateType };
    return keep([Buffer.from(JSON.stringify(predicate, null, 2))], { mediaType: IN_TOTO, annotations });
  };
  const made = madeBy(outcome);
  const { platforms, isMultiPlatform } = outcome.result;
  const [only] = platforms;
  if (!isMultiPlatform && only !== undefined) {
    return { result: { results: made, attestations: [await provenance(only.plan)] } };
  }
  const results: Record<string, RecordResult> = {};
  for (const { platform, plan } of platforms) {
    results[formatPlatform(platform)] = { results: {}, attestations: [await provenance(plan)] };
  }
  return { result: { results: made, attestations: [] }, results };
}

/** The images that exporters made, by their number. */
function madeBy({ responses }: BuildOutcome): Readonly<Record<number, RecordBlob>> {
  return Object.fromEntries(
    responses.flatMap((response, index) => {
      const written = response['containerimage.descriptor'];
      if (written === undefined) return [];
      const { mediaType, digest, size } = JSON.parse(Buffer.from(written, 'base64').toString('utf8')) as RecordBlob;
      return [[index, { mediaType, digest, size }] as const];
    }),
  );
}
