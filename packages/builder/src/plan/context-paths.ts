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
  const visit = (vertex: Base): void => {
    if (vertex === undefined || seen.has(vertex)) return;
    seen.add(vertex);
    if (vertex.kind !== 'run' && vertex.kind !== 'file') return;
    visit(vertex.base);
    if (vertex.kind === 'run') {
      for (const { sourceVertex, source } of vertex.mounts) note(sourceVertex, source);
      return;
    }
    for (const action of vertex.actions) {
      if (action.kind !== 'copy') continue;
      const inside = action.include.length > 0 ? action.include : [''];
      for (const pattern of inside) note(action.source, posix.join(action.path, pattern));
    }
  };
  const note = (source: Base, path: string): void => {
    if (source?.kind === 'context' && source.context === context) paths.add(posix.resolve('/', path).slice(1));
    else visit(source);
  };
  for (const { target } of plans) visit(target.tree);
  return paths.has('') ? [] : [...paths].toSorted();
}
