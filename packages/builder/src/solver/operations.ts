import type { FileVertex, ImageVertex, RunVertex, SourceVertex } from '../plan/vertex.ts';
import type { Result, Tree } from './tree.ts';

export interface MadeTree {
  readonly tree: Tree;
  /** Of the layer that was added. */
  readonly sizeBytes: number;
}

/** What the solver has done for it; everything that touches a disk or a process. */
export interface Operations {
  source(vertex: ImageVertex | SourceVertex, signal: AbortSignal): Promise<Result>;
  /**
   * For each action of a COPY what it selects, as a digest; empty for other actions. `inputs` begin with the base; what is known of an
   * action is not looked for.
   */
  selectionDigests(
    vertex: FileVertex,
    inputs: readonly Result[],
    known: readonly (string | undefined)[],
    signal: AbortSignal,
  ): Promise<readonly string[]>;
  /** For each mount of a RUN what it shows, as a digest; empty where that does not belong to the step's key. */
  mountDigests(vertex: RunVertex, inputs: readonly Result[], signal: AbortSignal): Promise<readonly string[]>;
  run(
    vertex: RunVertex,
    inputs: readonly Result[],
    io: { readonly output: (stream: 'stdout' | 'stderr', chunk: Buffer) => void; readonly signal: AbortSignal },
  ): Promise<MadeTree>;
  file(vertex: FileVertex, inputs: readonly Result[], signal: AbortSignal): Promise<MadeTree>;
  /** Puts a layer that was made on nothing onto a tree; `undefined` where the snapshots of this host cannot do that. */
  readonly rebase: ((layer: Tree, base: Tree) => Promise<Tree>) | undefined;
  /** Keeps a tree from being collected while the build goes on. */
  hold(tree: Tree): void;
}
