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
      const index = step.tree.layers.length - 1;
      return tree.layers.length === layers.length ? [recordOf(step, index)] : [];
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
  return steps.filter(({ tree }) => wanted.has(tree.chainId));
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
