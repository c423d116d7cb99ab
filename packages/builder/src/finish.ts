import { WharfError } from '@wharf/kit';
import { formatPlatform } from '@wharf/oci/spec/platform';
import type { BuilderDeps, BuildRequest } from './build.ts';
import { epochOf } from './export/attributes.ts';
import type { BuildPlan } from './plan/plan.ts';
import type { Base } from './plan/vertex.ts';
import type { BuildResult, ExportStep, ExportTools } from './result.ts';
import type { Tree } from './solver/tree.ts';

/** Solves every platform's plan, side by side; a failing one is seen only when all have ended, so that nothing runs on unseen. */
export async function resultOf(
  { snapshots }: Pick<BuilderDeps, 'snapshots'>,
  request: BuildRequest,
  plans: readonly BuildPlan[],
  solve: (vertex: Base) => Promise<Tree>,
): Promise<BuildResult> {
  const { attest, signal } = request;
  const sourceDateEpoch = epochOf(plans[0]?.sourceDateEpoch);
  const settled = await Promise.allSettled(
    plans.map(async (plan) => {
      const tree = await solve(plan.target.tree);
      const config = plan.target.draft.finish(tree.layers);
      const result = { platform: plan.platform, plan, tree, config };
      return { ...result, attestations: (await attest?.(result, { snapshots, signal })) ?? [] };
    }),
  );
  const platforms = settled.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
  return {
    platforms,
    isMultiPlatform: plans.length > 1 || request.multiPlatform === true,
    sourceDateEpoch,
  };
}

/** Hands a result to its exporters, one after the other. */
export async function runExporters(
  { snapshots, images }: BuilderDeps,
  { exporters, inlineCache, exportStep = plainStep, signal }: BuildRequest,
  result: BuildResult,
  own: Pick<ExportTools, 'lease' | 'scratch'>,
): Promise<readonly Readonly<Record<string, string>>[]> {
  const responses: Readonly<Record<string, string>>[] = [];
  for (const exporter of exporters) {
    signal.throwIfAborted();
    responses.push(await exporter(result, { ...own, snapshots, images, inlineCache, step: exportStep, signal }));
  }
  return responses;
}

const plainStep: ExportStep = (_title, work) => work((_name, part) => part());

/** The only result there is. Throws `invalid-argument` where there are several. */
export function onlyPlatform({ platforms }: BuildResult, exporter: string): BuildResult['platforms'][number] {
  const [first, ...others] = platforms;
  if (first !== undefined && others.length === 0) return first;
  const names = platforms.map(({ platform }) => formatPlatform(platform)).join(', ');
  throw new WharfError('invalid-argument', `Cannot export ${names} as "${exporter}": it takes one platform only`);
}
