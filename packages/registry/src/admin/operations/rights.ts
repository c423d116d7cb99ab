import { isPattern } from '../../access/pattern.ts';
import type { RepositoryRights, Right } from '../../access/records.ts';
import { type Input, invalid, listOf } from '../operation.ts';

const RIGHTS: readonly Right[] = ['pull', 'push', 'delete'];

/** Rights given as `--rights pull,push`, in any number of options. Throws `invalid-argument` for others. */
export function readRights(input: Input, name: string): readonly Right[] | undefined {
  const words = listOf(input, name)?.flatMap((text) => text.split(','));
  const wrong = words?.find((word) => !RIGHTS.some((right) => right === word));
  if (wrong !== undefined) throw invalid(`Cannot give the right "${wrong}": there are ${RIGHTS.join(', ')}`);
  return words && RIGHTS.filter((right) => words.includes(right));
}

/** A pattern of repositories within a namespace, as `team/web` or `team/**`. */
export function readPattern(text: string, namespace: string): string {
  if (isPattern(text) && (text === namespace || text.startsWith(`${namespace}/`))) return text;
  throw invalid(
    `Cannot use the pattern "${text}": it has to begin with "${namespace}/" and to hold names, * and ** only`,
  );
}

/** Every repository of a namespace, the one of its own name too. */
export function wholeNamespace(namespace: string, rights: readonly Right[]): readonly RepositoryRights[] {
  return [
    { repository: namespace, rights },
    { repository: `${namespace}/**`, rights },
  ];
}
