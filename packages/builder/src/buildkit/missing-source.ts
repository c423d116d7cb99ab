import { posix } from 'node:path';
import { isKind, messageOf, WharfError } from '@wharf/kit';
import type { LineRange } from '../dockerfile/location.ts';
import { nearest } from '../dockerfile/suggest.ts';
import { PatternList } from '../files/pattern-list.ts';
import type { BuildPlan } from '../plan/plan.ts';
import type { Vertex } from '../plan/vertex.ts';

export interface MissingFacts {
  readonly plans: readonly BuildPlan[];
  /** The lines of the step that failed. */
  readonly at: LineRange | undefined;
  /** The paths of the client's directory that a pattern matches, those that .dockerignore leaves out among them. */
  readonly list: ((pattern: string) => Promise<readonly string[]>) | undefined;
  /** What .dockerignore says. */
  readonly ignorePatterns: () => Promise<readonly string[]>;
}

const MISSING = /"(\/[^"\n]*)": not found$/;

/**
 * An error over a path that the build context does not have, with what may be the matter: .dockerignore leaves it out, or something
 * of nearly that name is there. Any other error is returned as it is.
 */
export async function explainMissing(
  error: unknown,
  { plans, at, list, ignorePatterns }: MissingFacts,
): Promise<unknown> {
  const path = isKind(error, 'not-found') ? MISSING.exec(messageOf(error))?.[1] : undefined;
  if (path === undefined || list === undefined || !isOfContext(plans, at)) return error;
  try {
    const names = (await list(posix.join(posix.dirname(path), '*').slice(1))).map((name) => `/${name}`);
    const near = nearest(path, names);
    // A symlink that leads nowhere is there, too.
    const isIgnored = names.includes(path) && new PatternList(await ignorePatterns()).matches(path.slice(1));
    if (isIgnored) return reworded(error, ': it is there, but excluded by .dockerignore');
    return near === undefined ? error : reworded(error, ` (did you mean ${JSON.stringify(near)}?)`);
  } catch {
    // The client is gone, or cannot list: the error stands for itself.
    return error;
  }
}

function reworded(error: unknown, more: string): WharfError {
  return new WharfError('not-found', messageOf(error) + more, { cause: error });
}

/** True when the step that failed copies from the build context, and not from a stage. */
function isOfContext(plans: readonly BuildPlan[], at: LineRange | undefined): boolean {
  const steps = plans.flatMap(({ stages }) => stages.flatMap((stage) => stage.steps));
  return steps.some(({ location, result }) => location === at && copiesContext(result));
}

function copiesContext(vertex: Vertex | undefined): boolean {
  const isMain = (source: Vertex | undefined): boolean => source?.kind === 'context' && source.context === 'context';
  if (vertex?.kind === 'run') return vertex.mounts.some(({ sourceVertex }) => isMain(sourceVertex));
  if (vertex?.kind !== 'file') return false;
  return vertex.actions.some((action) => action.kind === 'copy' && isMain(action.source));
}
