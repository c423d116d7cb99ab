import type { BuildPlan } from '../plan/plan.ts';
import type { FileVertex, RunVertex, Vertex } from '../plan/vertex.ts';
import type { SolveObserver, StepKey } from '../solver/solver.ts';
import { changedFiles } from './changed-files.ts';
import type { LineHistories, LineRecord } from './line-history.ts';
import { nearestLine, reasonOf } from './reason.ts';

interface Place {
  readonly stage: string;
  readonly index: number;
  readonly text: string;
}

/**
 * Says of each step of a build why it came from the cache or not, by what the same lines came to before; and keeps what they come to, for
 * the next build.
 */
export class Explainer {
  readonly #histories: LineHistories;
  readonly #name: string;
  readonly #tell: ((vertex: Vertex, text: string) => void) | undefined;
  readonly #buildArguments: Set<string>;
  readonly #lines = new Map<Vertex, LineRecord>();
  /** Indexes of contexts, by the context's name. */
  readonly #indexes = new Map<string, string>();
  #before: readonly LineRecord[] | undefined;

  /**
   * @param name what makes builds the same: the client's directory, the Dockerfile, the platform
   * @param tell takes the explanations; nobody wants any when absent
   */
  constructor(options: {
    readonly histories: LineHistories;
    readonly name: string;
    readonly buildArguments: Iterable<string>;
    readonly tell?: ((vertex: Vertex, text: string) => void) | undefined;
  }) {
    this.#histories = options.histories;
    this.#name = options.name;
    this.#tell = options.tell;
    this.#buildArguments = new Set(options.buildArguments);
  }

  /** An observer that is told what this one is to see too. */
  watch(observer: SolveObserver, plans: readonly BuildPlan[]): SolveObserver {
    const places = placesOf(plans);
    for (const { buildArgs } of plans.flatMap(({ stages }) => stages)) {
      for (const [name] of buildArgs) this.#buildArguments.add(name);
    }
    return {
      started: (vertex) => observer.started(vertex),
      output: (vertex, stream, chunk) => observer.output(vertex, stream, chunk),
      done: (vertex, outcome) => observer.done(vertex, outcome),
      settled: (vertex, tree) => observer.settled?.(vertex, tree),
      keyed: (vertex, key) => {
        const place = places.get(vertex);
        if (place !== undefined) this.#note(vertex, place, key, places);
        return observer.keyed?.(vertex, key);
      },
    };
  }

  /** Keeps what this build came to; steps it did not reach stay as they were. */
  async save(): Promise<void> {
    if (this.#lines.size === 0) return;
    const lines = [...this.#lines.values()];
    const reached = new Set(lines.map(({ stage, index }) => `${index} ${stage}`));
    const others = this.#earlier().filter(({ stage, index }) => !reached.has(`${index} ${stage}`));
    const all = [...lines, ...others].toSorted((left, right) =>
      left.stage === right.stage ? left.index - right.index : left.stage < right.stage ? -1 : 1,
    );
    try {
      await this.#histories.write(this.#name, all, this.#indexes);
    } catch (error) {
      // A full or failing disk costs the next explanation, not this build; it shows itself where it matters.
      if (!(error instanceof Error && 'syscall' in error)) throw error;
    }
  }

  #note(
    vertex: RunVertex | FileVertex,
    place: Place,
    { parts, inputs, found }: StepKey,
    places: ReadonlyMap<Vertex, Place>,
  ): void {
    const { base } = vertex;
    const line = { ...place, parts, base: base === undefined ? 'scratch' : (places.get(base)?.text ?? base.name) };
    this.#lines.set(vertex, line);
    const index = (action: number): string | undefined => {
      const input = inputs[action + 1];
      return input?.kind === 'directory' ? input.index : undefined;
    };
    if (vertex.kind === 'file') {
      for (const [action, { name }] of contextsOf(vertex)) {
        const path = index(action);
        if (path !== undefined) this.#indexes.set(name, path);
      }
    }
    if (this.#tell === undefined) return;
    const changed = (at: number): readonly string[] | undefined => {
      const action = vertex.kind === 'file' ? vertex.actions[at] : undefined;
      if (action?.kind !== 'copy' || action.source?.kind !== 'context') return undefined;
      const before = this.#histories.indexPath(this.#name, action.source.context);
      const now = index(at);
      return before === undefined || now === undefined ? undefined : changedFiles(before, now, action);
    };
    const before = nearestLine(line, this.#earlier());
    this.#tell(
      vertex,
      reasonOf({
        ...{ line, before, found, buildArguments: this.#buildArguments, changedFiles: changed },
        isBaseImage: base?.kind === 'image',
      }),
    );
  }

  #earlier(): readonly LineRecord[] {
    this.#before ??= this.#histories.read(this.#name);
    return this.#before;
  }
}

function contextsOf({ actions }: FileVertex): readonly (readonly [number, { readonly name: string }])[] {
  return actions.flatMap((action, at) =>
    action.kind === 'copy' && action.source?.kind === 'context' ? [[at, { name: action.source.context }] as const] : [],
  );
}

/** Where in the Dockerfile each vertex comes from. */
function placesOf(plans: readonly BuildPlan[]): ReadonlyMap<Vertex, Place> {
  const places = new Map<Vertex, Place>();
  for (const { stage, steps } of plans.flatMap(({ stages }) => stages)) {
    let index = 0;
    for (const { result, makesTree, text } of steps) {
      if (!makesTree || result === undefined) continue;
      index += 1;
      if (!places.has(result)) places.set(result, { stage: stage.name, index, text });
    }
  }
  return places;
}
