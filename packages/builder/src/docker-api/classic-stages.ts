import { imageFormat } from '../export/image-format.ts';
import { writeImage } from '../export/write-image.ts';
import type { Base } from '../plan/vertex.ts';
import type { Exporter } from '../result.ts';
import type { Tree } from '../solver/tree.ts';

/**
 * An exporter that finds the ids of the stages below the target, too, for clients that want one per stage: what the stage comes to as a
 * target. No images are left of them; the cache has their steps.
 * @param tell takes the ids, in the order of the file, before the exporter has its turn
 */
export function tellingStages(
  exporter: Exporter,
  treeOf: (base: Base) => Tree | undefined,
  tell: (ids: readonly string[]) => void,
): Exporter {
  const format = imageFormat({}, { inlineAttestations: true });
  return async (result, tools) => {
    const ids: string[] = [];
    for (const each of result.platforms) {
      for (const stage of each.plan.stages) {
        const tree = treeOf(stage.tree);
        if (stage === each.plan.target || tree === undefined) continue;
        const own = { plan: { ...each.plan, target: stage }, tree, config: stage.draft.finish(tree.layers) };
        const { target } = await writeImage(
          { ...result, isMultiPlatform: false, platforms: [{ ...each, ...own, attestations: [] }] },
          tools,
          format,
          (_name, work) => work(),
        );
        ids.push(target.digest);
      }
    }
    tell(ids);
    return exporter(result, tools);
  };
}
