import type { Dockerfile } from '../dockerfile/instructions/types.ts';
import { automaticNames, isPredefined } from '../plan/global-args.ts';
import type { BuildPlan } from '../plan/plan.ts';

/** The build arguments that no ARG of the file, nor of an ONBUILD, asks for; sorted. Those that need no ARG count as asked for. */
export function unusedArgs(
  given: Iterable<string>,
  dockerfile: Dockerfile,
  plan: Pick<BuildPlan, 'stages'> | undefined,
): readonly string[] {
  const instructions = dockerfile.stages.flatMap((stage) => stage.instructions);
  const written = [...dockerfile.globalArgs, ...instructions].flatMap((each) => (each.kind === 'arg' ? each.args : []));
  const asked = new Set([
    ...written.map(({ name }) => name),
    ...(plan?.stages ?? []).flatMap(({ buildArgs }) => buildArgs.map(([name]) => name)),
    ...automaticNames,
  ]);
  return [...given].filter((name) => !asked.has(name) && !isPredefined(name)).toSorted();
}
