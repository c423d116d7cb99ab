import type { FileVertex, RunVertex, Vertex } from '../plan/vertex.ts';
import { cacheKey } from '../solver/cache.ts';
import type { SolveObserver } from '../solver/solver.ts';
import type { Tree } from '../solver/tree.ts';

/** A step of a build and what it came to. */
export interface StepResult {
  readonly key: string;
  readonly kind: 'run' | 'file';
  readonly description: string;
  readonly tree: Tree;
}

/** Notes the steps of a build, those from the cache as well, for a cache that is exported. */
export class StepRecorder {
  readonly #keys = new Map<RunVertex | FileVertex, string>();
  readonly #steps = new Map<string, StepResult>();

  /** The steps so far, those below first. */
  get steps(): readonly StepResult[] {
    return [...this.#steps.values()].toSorted((left, right) => left.tree.layers.length - right.tree.layers.length);
  }

  /** An observer that notes, and tells another one everything. */
  watch(observer: SolveObserver): SolveObserver {
    return {
      started: (vertex) => observer.started(vertex),
      output: (vertex, stream, chunk) => observer.output(vertex, stream, chunk),
      keyed: (vertex, key) => {
        this.#keys.set(vertex, cacheKey(key.parts));
        return observer.keyed?.(vertex, key);
      },
      done: (vertex, outcome) => {
        if (outcome.result?.kind === 'tree') this.#note(vertex, outcome.result.tree);
        observer.done(vertex, outcome);
      },
    };
  }

  #note(vertex: Vertex, tree: Tree): void {
    if (vertex.kind !== 'run' && vertex.kind !== 'file') return;
    const key = this.#keys.get(vertex);
    if (key !== undefined) this.#steps.set(key, { key, kind: vertex.kind, description: vertex.name, tree });
  }
}
