import { decode } from '@wharf/wire/grpc/protobuf';
import type { GrpcError } from '@wharf/wire/grpc/status';
import { type FailedStep, SolveDetail } from './messages.ts';

/** The step that failed, as the error's details have it (BuildKit, errdefs.Solve); `undefined` when it was no RUN. */
export function failedStepOf(error: GrpcError): FailedStep | undefined {
  for (const { type_url, value } of error.grpcDetails) {
    if (!type_url.includes('errdefs.Solve')) continue;
    // In JSON, where the name of the type says so and it is.
    const bytes = Buffer.from(value);
    const step =
      bytes[0] === 0x7b
        ? (JSON.parse(bytes.toString('utf8')) as FailedStep & { readonly op?: { readonly Op?: FailedStep['op'] } })
        : decode<FailedStep>(SolveDetail, bytes);
    if (step.op?.exec !== undefined) return step;
  }
  return undefined;
}
