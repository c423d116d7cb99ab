import type { FileVertex, RunVertex } from '../plan/vertex.ts';
import { cacheKey } from '../solver/cache.ts';
import { selectionKey } from '../solver/selection-key.ts';
import type { SolveObserver, StepKey } from '../solver/solver.ts';
import type { Tree } from '../solver/tree.ts';

/** A step of a build and what it came to. */
export interface StepResult {
  readonly key: string;
  readonly kind: 'run' | 'file';
  readonly description: string;
  readonly tree: Tree;
  /** Of a COPY: digests of what it takes from trees, by what it takes. */
  readonly selections: Readonly<Record<string, string>>;
}

/** Notes the steps of a build, those from the cache as well, for a cache that is exported. */
export class StepRecorder {
  readonly #keys = new Map<RunVertex | FileVertex, Pick<StepResult, 'key' | 'selections'>>();
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
        this.#keys.set(vertex, { key: cacheKey(key.parts), selections: selectionsOf(vertex, key) });
        return observer.keyed?.(vertex, key);
      },
      settled: (vertex, tree) => {
        this.#note(vertex, tree);
        observer.settled?.(vertex, tree);
      },
      done: (vertex, outcome) => observer.done(vertex, outcome),
    };
  }

  #note(vertex: RunVertex | FileVertex, tree: Tree): void {
    const found = this.#keys.get(vertex);
    if (found !== undefined)
      this.#steps.set(found.key, { ...found, kind: vertex.kind, description: vertex.name, tree });
  }
}

function selectionsOf(vertex: RunVertex | FileVertex, { parts, inputs }: StepKey): Readonly<Record<string, string>> {
  const [, , details] = parts;
  if (vertex.kind !== 'file' || !Array.isArray(details)) return {};
  const found = vertex.actions.flatMap((action, index) => {
    const source = inputs[index + 1];
    const { content } = (details[index] ?? {}) as { readonly content?: unknown };
    if (action.kind !== 'copy' || source?.kind !== 'tree' || typeof content !== 'string') return [];
    return [[selectionKey(action, source.tree.chainId), content] as const];
  });
  return Object.fromEntries(found);
}
