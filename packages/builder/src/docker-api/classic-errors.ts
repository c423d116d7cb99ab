import { isKind, messageOf } from '@wharf/kit';
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
 * code, and so has a file that is not there.
 */
export function classicError(error: unknown, failed: FailedLine | undefined): object {
  if (error instanceof StepError) {
    const message = `The command '${error.args.join(' ')}' returned a non-zero code: ${error.exitCode}`;
    return { errorDetail: { code: error.exitCode, message }, error: message };
  }
  const message = missingFile(error, failed) ?? messageOf(error);
  return { errorDetail: { message }, error: message };
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
