import { messageOf, redact } from '@wharf/kit';
import { errorStatus, grpcStatusOf } from '@wharf/wire/grpc/status';
import type { BuildHistory } from '../history/history.ts';
import { encodeLog, LOG_TYPE } from './history-service.ts';
import type { BuildJob } from './job.ts';
import type { ControlSolve } from './messages.ts';

/** What a build's error with its details is called (BuildKit spells it so). */
const ERROR_TYPE = 'application/vnd.googeapis.google.rpc.status+proto';

/** Has a build recorded in the history; `ended` is to be called once, with what it failed with. */
export function recordBuild(
  history: BuildHistory,
  request: ControlSolve,
  job: BuildJob,
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
        return { logs, steps: progress.steps, ...failure };
      }),
  };
}
