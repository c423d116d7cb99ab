import { isKind, messageOf } from '@wharf/kit';
import type { Dockerfile } from '../dockerfile/instructions/types.ts';
import type { LineRange } from '../dockerfile/location.ts';
import { StepError } from '../ops/step-error.ts';
import type { Vertex } from '../plan/vertex.ts';

/** The instruction that a build ended at. */
export interface FailedLine {
  /** As written. */
  readonly text: string;
  readonly vertex: Vertex | undefined;
}

const MISSING = /"\/?([^"\n]*)": not found$/;

/**
 * A failure as the classic protocol tells it, in Docker's words, which clients match on: a command's status has its own sentence and
 * code, and so has a file that is not there. `from`: the image of a `COPY --from` that could not be had.
 */
export function classicError(error: unknown, failed: FailedLine | undefined, from = ''): object {
  if (error instanceof StepError) {
    const message = `The command '${error.args.join(' ')}' returned a non-zero code: ${error.exitCode}`;
    return { errorDetail: { code: error.exitCode, message }, error: message };
  }
  const said = missingFile(error, failed) ?? messageOf(error);
  const message = from === '' ? said : `invalid from flag value ${from}: ${said}`;
  return { errorDetail: { message }, error: message };
}

/** What the COPY on these lines copies from; empty where there is none. */
export function fromFlagAt(dockerfile: Dockerfile, at: LineRange | undefined): string {
  const found = dockerfile.stages
    .flatMap(({ instructions }) => instructions)
    .find(({ kind, location }) => kind === 'copy' && location.start === at?.start);
  return found?.kind === 'copy' ? found.from : '';
}

function missingFile(error: unknown, failed: FailedLine | undefined): string | undefined {
  if (failed?.vertex?.kind !== 'file' || !isKind(error, 'not-found')) return undefined;
  const path = MISSING.exec(messageOf(error))?.[1];
  if (path === undefined) return undefined;
  const [instruction = ''] = failed.text.trim().split(/\s/, 1);
  const isOfContext = failed.vertex.actions.some(({ kind, ...rest }) =>
    kind === 'copy' && 'source' in rest ? rest.source?.kind === 'context' : false,
  );
  const where = isOfContext ? 'file not found in build context or excluded by .dockerignore: ' : '';
  return `${instruction.toUpperCase()} failed: ${where}stat ${path}: file does not exist`;
}
