import type { BuildPlan } from '../../plan/plan.ts';
import type { EvaluatedStage } from '../../plan/stage.ts';
import type { Base } from '../../plan/vertex.ts';

/** Something besides the result that an SBOM is made of. */
export interface ScanTarget {
  /** What it is called in the name of its file: a stage, or `build-context`. */
  readonly name: string;
  /** The stage's tree; absent for the build context. */
  readonly tree?: Base;
}

export const SCAN_STAGE = 'BUILDKIT_SBOM_SCAN_STAGE';
export const SCAN_CONTEXT = 'BUILDKIT_SBOM_SCAN_CONTEXT';

/**
 * What a Dockerfile wants scanned besides its result (BuildKit, "SBOM attestations", "Scan stages"): stages where the argument
 * BUILDKIT_SBOM_SCAN_STAGE is true or lists them, and the context where BUILDKIT_SBOM_SCAN_CONTEXT does. `globals` are the values of
 * arguments before the first FROM, which hold in every stage.
 */
export function scanTargets(plan: BuildPlan, globals: ReadonlyMap<string, string>): readonly ScanTarget[] {
  const stages = plan.stages.filter((stage) => stage !== plan.target && isWanted(stage, SCAN_STAGE, globals));
  const context = plan.stages.some((stage) => isWanted(stage, SCAN_CONTEXT, globals));
  return [
    ...stages.map(({ stage, tree }) => ({ name: stage.name, tree })),
    ...(context ? [{ name: 'build-context' }] : []),
  ];
}

function isWanted({ stage, notes }: EvaluatedStage, argument: string, globals: ReadonlyMap<string, string>): boolean {
  const value = notes.args.get(argument)?.value ?? globals.get(argument) ?? '';
  return /^(1|t|true)$/i.test(value) || value.split(',').some((name) => name !== '' && name.trim() === stage.name);
}

/** `sbom-NAME.spdx.json` for what is scanned besides the result. */
export function targetFileName(fileName: string, target: ScanTarget): string {
  const safe = target.name.replace(/[^A-Za-z0-9._-]+/g, '-');
  return fileName.replace(/^([^.]*)/, `$1-${safe}`);
}
