import { posix } from 'node:path';
import type { BuildPlan } from './plan.ts';
import type { Base } from './vertex.ts';

/**
 * Which paths of a context plans read, patterns included, without leading slash; empty for all of it. A client need not send the
 * rest.
 * @param context the name of a further one than the build context itself
 */
export function contextPaths(plans: readonly BuildPlan[], context = 'context'): readonly string[] {
  const paths = new Set<string>();
  const seen = new Set<Base>();
  // By hand and not by recursion: steps may stand on each other by the thousand.
  const waiting: Base[] = plans.map(({ target }) => target.tree);
  const note = (source: Base, path: string): void => {
    if (source?.kind === 'context' && source.context === context) paths.add(posix.resolve('/', path).slice(1));
    else waiting.push(source);
  };
  while (waiting.length > 0) {
    const vertex = waiting.pop();
    if ((vertex?.kind !== 'run' && vertex?.kind !== 'file') || seen.has(vertex)) continue;
    seen.add(vertex);
    waiting.push(vertex.base);
    if (vertex.kind === 'run') {
      for (const { sourceVertex, source } of vertex.mounts) note(sourceVertex, source);
      continue;
    }
    for (const action of vertex.actions) {
      if (action.kind !== 'copy') continue;
      const inside = action.include.length > 0 ? action.include : [''];
      for (const pattern of inside) note(action.source, posix.join(action.path, pattern));
    }
  }
  return paths.has('') ? [] : [...paths].toSorted();
}
