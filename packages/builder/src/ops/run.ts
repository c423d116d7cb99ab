import { messageOf, type Semaphore, WharfError } from '@wharf/kit';
import type { StepLimits } from '@wharf/oci/steps/step';
import type { RunVertex } from '../plan/vertex.ts';
import type { MadeTree } from '../solver/operations.ts';
import type { Result, Tree } from '../solver/tree.ts';
import { FailedStep, type FailedSteps } from './failed-step.ts';
import { type LayerDeps, makeLayer } from './new-layer.ts';
import { openStep, type StepDeps, type StepIo } from './open-step.ts';
import { StepError } from './step-error.ts';
import type { StepSecrets } from './step-mounts.ts';

/** What a whole build says of its steps. */
export interface StepSettings {
  readonly network: string;
  readonly extraHosts: readonly string[];
  readonly limits: StepLimits;
  readonly secrets: StepSecrets;
  /** Takes what failed, where somebody may want to look at it. */
  readonly failures?: FailedSteps | undefined;
}

export interface RunDeps extends LayerDeps, StepDeps {
  readonly steps: Semaphore;
}

/**
 * Runs a command on top of its base. Throws StepError when it fails; its changes are thrown away then, and those of earlier steps
 * are not touched.
 */
export function runStep(
  deps: RunDeps,
  vertex: RunVertex,
  inputs: readonly Result[],
  base: Tree,
  io: StepIo,
): Promise<MadeTree> {
  const make = () =>
    makeLayer(
      deps,
      base,
      async (key) => {
        await runIn(deps, vertex, inputs, key, io);
        return { linked: false };
      },
      io.signal,
    );
  return deps.steps.run(make, { signal: io.signal });
}

async function runIn(
  deps: RunDeps,
  vertex: RunVertex,
  inputs: readonly Result[],
  key: string,
  io: StepIo,
): Promise<void> {
  await using undo = new AsyncDisposableStack();
  const step = undo.use(await openStep(deps, vertex, inputs, key));
  const { exitCode } = await step.run(vertex, io).catch((error: unknown) => {
    throw io.signal.aborted ? error : notStarted(vertex.args, error);
  });
  io.signal.throwIfAborted();
  if (exitCode === 0) return;
  const error = new StepError(vertex.args, exitCode);
  const { failures } = deps.settings;
  if (failures !== undefined) {
    error.isHeld = true;
    undo.move();
    failures.hold(new FailedStep({ deps, vertex, inputs, key, step, error }));
  }
  throw error;
}

/** A command that could not even be begun, in BuildKit's words. */
function notStarted(args: readonly string[], error: unknown): WharfError {
  const kind = error instanceof WharfError ? error.kind : 'internal';
  const message = `process "${args.join(' ')}" did not complete successfully: ${messageOf(error)}`;
  return new WharfError(kind, message, { cause: error });
}
