import { diffTrees } from '@wharf/oci/layers/diff';
import { chainIds } from '@wharf/oci/spec/chain-id';
import { OCI_LAYER } from '@wharf/oci/spec/media-types';
import type { Exporter, ExportTools, PlatformResult } from '../result.ts';
import type { Tree } from '../solver/tree.ts';

/** An exporter that is given one layer in the place of all that the build made (Engine API, "ImageBuild", `squash`). */
export function squashed(exporter: Exporter): Exporter {
  return async (result, tools) => {
    const platforms = await Promise.all(result.platforms.map((each) => squash(each, tools)));
    return exporter({ ...result, platforms }, tools);
  };
}

async function squash(
  result: PlatformResult,
  { snapshots, images, lease, signal }: ExportTools,
): Promise<PlatformResult> {
  const { tree, config } = result;
  // Layers of the image that was built on have no time of their own here.
  const base = tree.layers.filter(({ createdAt }) => createdAt === undefined);
  const createdAt = tree.layers.at(-1)?.createdAt;
  if (createdAt === undefined) return result;
  if (tree.chainId !== '') lease.keepSnapshot(tree.chainId);
  const from = chainIds(base.map(({ diffId }) => diffId)).at(-1) ?? '';
  await using writer = await images.content.writer();
  const { diffId } = await diffTrees({
    snapshots,
    from,
    to: tree.chainId,
    write: (chunk) => writer.write(chunk),
    signal,
  });
  const blob = await lease.commit(writer);
  const descriptor = { mediaType: OCI_LAYER, digest: blob.digest, size: blob.sizeBytes };
  const layers: Tree['layers'] = [...base, { diffId, descriptor, createdAt }];
  const drafted = result.plan.target.draft.history;
  const history = (config.history ?? []).map((entry, index) =>
    drafted[index]?.created === undefined ? { ...entry, empty_layer: true } : entry,
  );
  return {
    ...result,
    // It is no snapshot yet: whoever runs the image has it unpacked.
    tree: { chainId: '', layers },
    config: { ...config, history: [...history, { created: createdAt, comment: 'merge of the layers of a build' }] },
  };
}
