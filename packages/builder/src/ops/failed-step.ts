import { randomBytes } from 'node:crypto';
import type { RunVertex } from '../plan/vertex.ts';
import type { Result } from '../solver/tree.ts';
import { BUILD_SNAPSHOT } from './new-layer.ts';
import { type OpenStep, openStep, type StepDeps } from './open-step.ts';
import type { StepError } from './step-error.ts';

interface Failure {
  readonly deps: StepDeps;
  readonly vertex: RunVertex;
  readonly inputs: readonly Result[];
  /** The snapshot that the command changed. */
  readonly key: string;
  readonly step: OpenStep;
  readonly error: StepError;
}

/** A RUN that failed, as it left its tree, mounts and all; to be looked at until it is disposed of. */
export class FailedStep implements AsyncDisposable {
  readonly vertex: RunVertex;
  readonly error: StepError;
  /** The tree as the command left it. */
  readonly step: OpenStep;
  readonly #failure: Failure;

  constructor(failure: Failure) {
    this.vertex = failure.vertex;
    this.error = failure.error;
    this.step = failure.step;
    this.#failure = failure;
  }

  /** The same step before the command ran, in a tree of its own. */
  async openBefore(): Promise<OpenStep> {
    const { deps, vertex, inputs } = this.#failure;
    const [base] = inputs;
    return openOn(deps, vertex, inputs, base?.kind === 'tree' ? base.tree.chainId : '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { deps, key, step } = this.#failure;
    await step[Symbol.asyncDispose]();
    await deps.snapshots.remove(key);
  }
}

/** A step in a fresh snapshot of a tree, which goes with it. */
export async function openOn(
  deps: StepDeps,
  vertex: RunVertex,
  inputs: readonly Result[],
  chainId: Parameters<StepDeps['snapshots']['prepare']>[1],
): Promise<OpenStep> {
  const key = `${BUILD_SNAPSHOT}${randomBytes(16).toString('hex')}`;
  await using undo = new AsyncDisposableStack();
  await deps.snapshots.prepare(key, chainId);
  undo.defer(() => deps.snapshots.remove(key));
  const step = undo.use(await openStep(deps, vertex, inputs, key));
  const opened = undo.move();
  return { run: (command, io) => step.run(command, io), [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

/** The steps of one build that failed. */
export class FailedSteps implements AsyncDisposable {
  readonly #steps: FailedStep[] = [];

  hold(step: FailedStep): void {
    this.#steps.push(step);
  }

  /** The step that an error of the build stems from. */
  of(error: unknown): FailedStep | undefined {
    for (let each = error; each instanceof Error; each = each.cause) {
      const found = this.#steps.find((step) => step.error === each);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#steps.splice(0)) await step[Symbol.asyncDispose]();
  }
}
