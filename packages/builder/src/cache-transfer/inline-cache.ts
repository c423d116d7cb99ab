import { chainIds } from '@wharf/oci/spec/chain-id';
import type { InlineCache, PlatformResult } from '../result.ts';
import type { Tree } from '../solver/tree.ts';
import { type CacheRecord, recordDigest } from './cache-config.ts';
import type { StepRecorder, StepResult } from './step-recorder.ts';

/** What an image carries of its own steps: those whose layers are its own. Layers that were made anew for the export are left out. */
export function inlineCache(recorder: StepRecorder): InlineCache {
  return async (result, layers) => {
    const { tree } = result;
    const records = stepsOf([result], recorder.steps).flatMap((step): CacheRecord[] => {
      if (tree.layers.length !== layers.length) return [];
      const own = step.tree.layers.at(-1)?.diffId;
      const index = isAlone(step) ? tree.layers.findIndex(({ diffId }) => diffId === own) : step.tree.layers.length - 1;
      return [recordOf(step, index)];
    });
    return Buffer.from(JSON.stringify(records)).toString('base64');
  };
}

/** The steps that made a result's own layers. */
export function stepsOf(
  results: readonly Pick<PlatformResult, 'tree'>[],
  steps: readonly StepResult[],
): readonly StepResult[] {
  const wanted = new Set<string>(results.flatMap(({ tree }) => chainOf(tree)));
  const layers = new Set<string>(results.flatMap(({ tree }) => tree.layers.map(({ diffId }) => diffId)));
  return steps.filter((step) => {
    const own = step.tree.layers.at(-1)?.diffId;
    return wanted.has(step.tree.chainId) || (isAlone(step) && own !== undefined && layers.has(own));
  });
}

/** A layer that was made on nothing, and may lie anywhere in a result. */
function isAlone({ tree }: StepResult): boolean {
  return tree.layers.length === 1;
}

/** A step as caches describe it, its topmost layer at a place in their list. */
export function recordOf({ key, kind, description, tree, selections }: StepResult, layer: number): CacheRecord {
  const top = tree.layers.at(-1);
  return {
    digest: recordDigest(key),
    layers: [{ layer, createdAt: top?.createdAt ?? '1970-01-01T00:00:00Z' }],
    wharf: {
      ...{ size: top?.descriptor.size ?? 0, kind, description },
      ...(Object.keys(selections).length === 0 ? {} : { selections }),
    },
  };
}

function chainOf(tree: Tree): readonly string[] {
  return chainIds(tree.layers.map(({ diffId }) => diffId));
}
