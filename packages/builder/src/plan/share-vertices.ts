import type { BuildPlan } from './plan.ts';
import type { EvaluatedStage } from './stage.ts';
import type { Base, FileVertex, RunVertex, Vertex } from './vertex.ts';

/**
 * The plans of one build for several platforms, with equal vertices made one: a stage that runs on the builder's own platform for all
 * of them runs once, and is shown once. Vertices are plain data, so they are equal when they say the same of equal inputs.
 */
export function shareVertices(plans: readonly BuildPlan[]): readonly BuildPlan[] {
  if (plans.length < 2) return plans;
  const sharing = new Sharing();
  return plans.map((plan) => sharing.plan(plan));
}

class Sharing {
  /** What stands for each vertex that was looked at. */
  readonly #shared = new Map<Vertex, Vertex>();
  readonly #byContent = new Map<string, Vertex>();
  readonly #numbers = new Map<Vertex, number>();

  plan(plan: BuildPlan): BuildPlan {
    const stages = new Map(plan.stages.map((stage) => [stage, this.#stage(stage)]));
    return { ...plan, stages: [...stages.values()], target: stages.get(plan.target) ?? this.#stage(plan.target) };
  }

  #stage(stage: EvaluatedStage): EvaluatedStage {
    const image = stage.image === undefined ? undefined : this.#vertex(stage.image);
    return {
      ...stage,
      tree: this.#base(stage.tree),
      steps: stage.steps.map((step) => ({ ...step, result: this.#base(step.result) })),
      image: image?.kind === 'image' ? image : undefined,
    };
  }

  #base(base: Base): Base {
    return base === undefined ? undefined : this.#vertex(base);
  }

  #vertex(vertex: Vertex): Vertex {
    const known = this.#shared.get(vertex);
    if (known !== undefined) return known;
    const own = this.#onShared(vertex);
    const content = this.#contentOf(own);
    const shared = this.#byContent.get(content) ?? own;
    this.#byContent.set(content, shared);
    this.#shared.set(vertex, shared);
    this.#shared.set(shared, shared);
    return shared;
  }

  /** The vertex with what stands for its inputs; itself where that is these. */
  #onShared(vertex: Vertex): Vertex {
    if (vertex.kind === 'run') return this.#run(vertex);
    return vertex.kind === 'file' ? this.#file(vertex) : vertex;
  }

  #run(vertex: RunVertex): RunVertex {
    const base = this.#base(vertex.base);
    const mounts = vertex.mounts.map((mount) => ({ ...mount, sourceVertex: this.#base(mount.sourceVertex) }));
    const isSame =
      base === vertex.base && mounts.every((each, index) => each.sourceVertex === vertex.mounts[index]?.sourceVertex);
    return isSame ? vertex : { ...vertex, base, mounts };
  }

  #file(vertex: FileVertex): FileVertex {
    const base = this.#base(vertex.base);
    const actions = vertex.actions.map((action) =>
      action.kind === 'copy' ? { ...action, source: this.#base(action.source) } : action,
    );
    const isSame =
      base === vertex.base &&
      actions.every((each, index) => {
        const before = vertex.actions[index];
        return each.kind !== 'copy' || before?.kind !== 'copy' || each.source === before.source;
      });
    return isSame ? vertex : { ...vertex, base, actions };
  }

  /** Everything a vertex says, its inputs by their numbers. */
  #contentOf(vertex: Vertex): string {
    if (vertex.kind === 'image') {
      const { reference, digest, chainId, platform } = vertex.image;
      return JSON.stringify(['image', reference, digest, chainId, platform, vertex.name]);
    }
    if (vertex.kind === 'run') {
      const mounts = vertex.mounts.map((mount) => ({ ...mount, sourceVertex: this.#number(mount.sourceVertex) }));
      return JSON.stringify({ ...vertex, base: this.#number(vertex.base), mounts });
    }
    if (vertex.kind !== 'file') return JSON.stringify(vertex);
    const actions = vertex.actions.map((action) =>
      action.kind === 'copy' ? { ...action, source: this.#number(action.source) } : action,
    );
    return JSON.stringify({ ...vertex, base: this.#number(vertex.base), actions });
  }

  #number(vertex: Base): number {
    if (vertex === undefined) return -1;
    const number = this.#numbers.get(vertex) ?? this.#numbers.size;
    this.#numbers.set(vertex, number);
    return number;
  }
}
