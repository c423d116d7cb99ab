import type { CopyAction } from '../plan/vertex.ts';
import { cacheKey } from './cache.ts';

/** The name of what a copy takes from a tree, without looking into it. */
export function selectionKey({ source: _source, ...selector }: CopyAction, chainId: string): string {
  return cacheKey(['selection', chainId, selector]);
}
