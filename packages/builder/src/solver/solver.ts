import { randomBytes } from 'node:crypto';
import { WharfError } from '@wharf/kit';
import type { Base, FileVertex, RunVertex, Vertex } from '../plan/vertex.ts';
import { type BuildCache, cacheKey } from './cache.ts';
import type { Operations } from './operations.ts';
import type { RemoteCache } from './remote-cache.ts';
import { selectionKey } from './selection-key.ts';
import type { SharedIo, SharedWork, StepOutput } from './shared-work.ts';
import { EMPTY_TREE, type Result, type Tree } from './tree.ts';

/** Told of what becomes of each vertex; a client draws its progress from it. */
export interface SolveObserver {
  started(vertex: Vertex): void;
  output(vertex: Vertex, stream: 'stdout' | 'stderr', chunk: Buffer): void;
  done(vertex: Vertex, outcome: { readonly cached: boolean; readonly error?: unknown; readonly result?: Result }): void;
  /** Told what a step's key is made of and what the cache had for it; the step waits for what this returns. */
  keyed?(vertex: RunVertex | FileVertex, key: StepKey): Promise<void> | undefined;
  /**
   * Told what the step of the last key came to. Not always the vertex's own result: a layer that is made on nothing is put on the base
   * afterwards.
   */
  settled?(vertex: RunVertex | FileVertex, tree: Tree): void;
}

/** What the name of a step's result is made of: kind, tree below, and all else that may change it. */
export type KeyParts = readonly [kind: 'run' | 'file', base: string, details: object];

export interface StepKey {
  readonly parts: KeyParts;
  /** The base's first. */
  readonly inputs: readonly Result[];
  readonly found: 'kept' | 'absent' | 'not looked for';
}

export interface SolverDeps {
  readonly cache: BuildCache;
  /** Asked where the own cache has nothing. */
  readonly remote?: RemoteCache | undefined;
  readonly operations: Operations;
  /** Steps that several builds want at the same time. */
  readonly shared: SharedWork<Tree>;
  readonly observer: SolveObserver;
  readonly signal: AbortSignal;
}

/**
 * Gives every vertex of a build its result, each once: inputs first and side by side, then from the cache when a step with the same
 * key ran before, and by running it otherwise.
 *
 * Keys are made of contents. A RUN's holds the chain id of the tree below it; a COPY's holds a digest of just what it selects, so a
 * source that was built again to the same effect changes nothing downstream.
 */
export class Solver {
  readonly #deps: SolverDeps;
  readonly #results = new Map<Vertex, Promise<Result>>();
  /** Trees that are brought here, or made again where that fails. */
  readonly #brought = new Map<Vertex, Promise<Result>>();
  /** Steps that nothing from elsewhere may stand for any more. */
  readonly #local = new Set<Vertex>();

  constructor(deps: SolverDeps) {
    this.#deps = deps;
  }

  /** The tree of a vertex, with its files here; a vertex that is no tree is a fault of the caller. */
  async tree(vertex: Base): Promise<Tree> {
    if (vertex === undefined) return EMPTY_TREE;
    const result = await this.#atHand(vertex);
    if (result.kind !== 'tree')
      throw new WharfError('internal', `Cannot build on "${vertex.name}": it is no file system`);
    return result.tree;
  }

  result(vertex: Vertex): Promise<Result> {
    let result = this.#results.get(vertex);
    if (result === undefined) {
      result = this.#observed(vertex);
      this.#results.set(vertex, result);
    }
    return result;
  }

  async #observed(vertex: Vertex): Promise<Result> {
    const { observer, signal } = this.#deps;
    const inputs = await this.#inputs(vertex, (input) => this.#resultOf(input));
    signal.throwIfAborted();
    observer.started(vertex);
    try {
      const { result, cached } = await this.#solve(vertex, inputs);
      observer.done(vertex, { cached, result });
      return result;
    } catch (error) {
      observer.done(vertex, { cached: false, error });
      throw error;
    }
  }

  /** The results of all inputs; a failing one is seen only when all have ended, so that nothing runs on unseen. */
  async #inputs(vertex: Vertex, resultOf: (input: Base, index: number) => Promise<Result>): Promise<readonly Result[]> {
    const settled = await Promise.allSettled(inputsOf(vertex).map(resultOf));
    return settled.map((each) => {
      if (each.status === 'rejected') throw each.reason;
      return each.value;
    });
  }

  async #resultOf(input: Base): Promise<Result> {
    return input === undefined ? { kind: 'tree', tree: EMPTY_TREE } : this.result(input);
  }

  /** An input with its files here. What was found elsewhere is fetched; where that fails, its step is run. */
  async #atHand(input: Base): Promise<Result> {
    const result = await this.#resultOf(input);
    const { remote } = this.#deps;
    if (input === undefined || remote === undefined || result.kind !== 'tree' || remote.isHere(result.tree))
      return result;
    const brought = this.#brought.get(input) ?? this.#bring(input, result.tree, remote);
    this.#brought.set(input, brought);
    return brought;
  }

  async #bring(vertex: Vertex, tree: Tree, remote: RemoteCache): Promise<Result> {
    if (await remote.fetch(tree)) return { kind: 'tree', tree };
    this.#local.add(vertex);
    const made = this.#observed(vertex);
    this.#results.set(vertex, made);
    return made;
  }

  async #solve(
    vertex: Vertex,
    inputs: readonly Result[],
  ): Promise<{ readonly result: Result; readonly cached: boolean }> {
    const { operations, signal } = this.#deps;
    switch (vertex.kind) {
      case 'image':
      case 'context':
      case 'http':
      case 'git':
      case 'inline':
        return { result: await operations.source(vertex, signal), cached: false };
      case 'run': {
        const digests = await operations.mountDigests(vertex, inputs, signal);
        return this.#step(vertex, inputs, runParts(vertex, inputs, digests), (io) =>
          operations.run(vertex, inputs, io),
        );
      }
      case 'file': {
        if (isAlone(vertex) && operations.rebase !== undefined) return this.#alone(vertex, inputs, operations.rebase);
        // What is selected has to be looked at; what it is put on has not.
        const known = this.#knownSelections(vertex, inputs);
        const shown = await this.#inputs(vertex, (input, index) =>
          index === 0 || known[index - 1] !== undefined ? this.#resultOf(input) : this.#atHand(input),
        );
        const digests = await operations.selectionDigests(vertex, shown, known, signal);
        return this.#step(vertex, shown, fileParts(vertex, shown, digests), (io) =>
          operations.file(vertex, shown, io.signal),
        );
      }
    }
  }

  /** A layer that does not depend on what it is put on: its key does not name its base, so that another base leaves it cached. */
  async #alone(
    vertex: FileVertex,
    inputs: readonly Result[],
    rebase: NonNullable<Operations['rebase']>,
  ): Promise<{ readonly result: Result; readonly cached: boolean }> {
    const onNothing: FileVertex = { ...vertex, base: undefined, link: false };
    const solve = () => this.#solve(onNothing, [{ kind: 'tree', tree: EMPTY_TREE }, ...inputs.slice(1)]);
    const found = await solve();
    const isMissing = found.result.kind === 'tree' && (await this.#deps.remote?.fetch(found.result.tree)) === false;
    if (isMissing) this.#local.add(onNothing);
    const { result, cached } = isMissing ? await solve() : found;
    const base = await this.#atHand(vertex.base);
    if (result.kind !== 'tree' || base.kind !== 'tree')
      throw new WharfError('internal', `Cannot build on "${vertex.name}": it is no file system`);
    const tree = await rebase(result.tree, base.tree);
    this.#deps.operations.hold(tree);
    return { result: { kind: 'tree', tree }, cached };
  }

  /** What is known from elsewhere of the selections of a copy, so that a tree need not be brought here for them. */
  #knownSelections({ actions }: FileVertex, inputs: readonly Result[]): readonly (string | undefined)[] {
    const { remote } = this.#deps;
    return actions.map((action, index) => {
      const source = inputs[index + 1];
      if (remote === undefined || action.kind !== 'copy' || source?.kind !== 'tree') return undefined;
      if (remote.isHere(source.tree)) return undefined;
      return remote.selection(selectionKey(action, source.tree.chainId));
    });
  }

  async #step(
    vertex: RunVertex | FileVertex,
    inputs: readonly Result[],
    parts: KeyParts,
    work: (io: SharedIo) => Promise<{ readonly tree: Tree; readonly sizeBytes: number }>,
  ): Promise<{ readonly result: Result; readonly cached: boolean }> {
    const { cache, shared, operations, observer, signal } = this.#deps;
    const key = cacheKey(parts);
    const kept = vertex.noCache ? undefined : this.#find(key, vertex, inputs);
    const found = kept !== undefined ? 'kept' : vertex.noCache ? 'not looked for' : 'absent';
    await observer.keyed?.(vertex, { parts, inputs, found });
    if (kept !== undefined) {
      operations.hold(kept);
      observer.settled?.(vertex, kept);
      return { result: { kind: 'tree', tree: kept }, cached: true };
    }
    const here = await this.#inputs(vertex, (input) => this.#atHand(input));
    // What it stands on had to be made again and came out different: it is another step then.
    if (!here.every((each, index) => chainOf(each) === chainOf(inputs[index]))) return this.#solve(vertex, here);
    const output: StepOutput = (stream, chunk) => observer.output(vertex, stream, chunk);
    // Who wants no cache wants no other build's work either.
    const name = vertex.noCache ? `${key} ${randomBytes(8).toString('hex')}` : key;
    const { value: tree } = await shared.run(name, { output, signal }, async (io) => {
      // Another build may have ended just now.
      const there = vertex.noCache ? undefined : cache.find(key);
      if (there !== undefined) return there;
      const { tree, sizeBytes } = await work(io);
      cache.keep(key, { tree, sizeBytes, parent: chainOf(inputs[0]), description: vertex.name, kind: vertex.kind });
      return tree;
    });
    operations.hold(tree);
    observer.settled?.(vertex, tree);
    return { result: { kind: 'tree', tree }, cached: false };
  }

  #find(key: string, vertex: Vertex, inputs: readonly Result[]): Tree | undefined {
    const { cache, remote } = this.#deps;
    const [base] = inputs;
    const tree = cache.find(key);
    if (tree !== undefined || remote === undefined || this.#local.has(vertex) || base?.kind !== 'tree') return tree;
    return remote.find(key, base.tree);
  }
}

/** What a vertex stands on, the base first; the order is the one operations get their results in. */
export function inputsOf(vertex: Vertex): readonly Base[] {
  if (vertex.kind === 'run') return [vertex.base, ...vertex.mounts.map(({ sourceVertex }) => sourceVertex)];
  if (vertex.kind !== 'file') return [];
  return [vertex.base, ...vertex.actions.map((action) => (action.kind === 'copy' ? action.source : undefined))];
}

/** COPY --link, as far as it can do without its base: names of users are looked up there. */
function isAlone({ link, base, actions }: FileVertex): boolean {
  return link && base !== undefined && actions.every(({ owner }) => /^[\d:]*$/.test(owner));
}

function chainOf(result: Result | undefined): string {
  return result?.kind === 'tree' ? result.tree.chainId : '';
}

function runParts(vertex: RunVertex, inputs: readonly Result[], digests: readonly string[]): KeyParts {
  const { args, env, cwd, user, network, platform, insecure, hostname } = vertex;
  const rare = { ...(insecure ? { insecure } : {}), ...(hostname === '' ? {} : { hostname }) };
  // What secrets, agents and caches hold must not change what a step is.
  const mounts = vertex.mounts.map(({ sourceVertex: _source, ...mount }, index) => ({
    ...mount,
    content: digests[index],
  }));
  return ['run', chainOf(inputs[0]), { args, env, cwd, user, network, platform, mounts, ...rare }];
}

function fileParts(vertex: FileVertex, inputs: readonly Result[], digests: readonly string[]): KeyParts {
  const actions = vertex.actions.map((action, index) => {
    if (action.kind === 'mkdir') return action;
    const { source: _source, path: _path, ...rest } = action;
    return { ...rest, content: digests[index] };
  });
  return ['file', chainOf(inputs[0]), actions];
}
