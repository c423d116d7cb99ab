import type { LineRange } from '../dockerfile/location.ts';
import type { BuildPlan } from '../plan/plan.ts';
import type { Base, Vertex } from '../plan/vertex.ts';
import type { SolveObserver } from '../solver/solver.ts';
import { EMPTY_TREE, type Result, type Tree } from '../solver/tree.ts';
import type { FailedLine } from './classic-errors.ts';

interface Line {
  readonly text: string;
  /** Undefined for instructions that change no file. */
  readonly vertex: Vertex | undefined;
  readonly isFrom: boolean;
  /** How many ONBUILDs of the base a FROM runs. */
  readonly triggers: number;
  readonly location: LineRange;
  state: 'waiting' | 'running' | 'done';
  id: string;
  cached: boolean;
  /** It has written something. */
  ran: boolean;
  readonly output: object[];
}

const SHORT = 12;

/**
 * A build as the classic protocol tells it: `Step 1/3 : FROM …`, one after the other. Steps may run side by side; what a later one
 * writes waits until those before it have been told.
 */
export class ClassicOutput implements SolveObserver {
  readonly #lines: readonly Line[];
  readonly #byVertex = new Map<Vertex, Line>();
  readonly #write: (document: object) => void;
  readonly #mayUseCache: boolean;
  #allCached = false;
  #next = 0;
  readonly #trees = new Map<Vertex, Tree>();
  #failed: Line | undefined;
  #announced = -1;

  /** @param write takes Docker's progress documents */
  constructor(plan: BuildPlan, write: (document: object) => void) {
    this.#write = write;
    this.#mayUseCache = !plan.noCache;
    const lines: Line[] = [];
    for (const { stage, steps } of plan.stages) {
      const { code, location } = stage.parsed.from;
      const triggers = steps.filter(({ isTrigger }) => isTrigger).length;
      lines.push({ ...this.#line(code.trim(), undefined, location), isFrom: true, triggers });
      for (const { text, result, makesTree, location } of steps) {
        const vertex = makesTree ? result : undefined;
        const line = this.#line(text, vertex, location);
        if (vertex !== undefined) this.#byVertex.set(vertex, line);
        lines.push(line);
      }
    }
    this.#lines = lines;
    this.#advance();
  }

  started(vertex: Vertex): void {
    const line = this.#byVertex.get(vertex);
    if (line === undefined) return;
    line.state = 'running';
    this.#advance();
  }

  output(vertex: Vertex, stream: 'stdout' | 'stderr', chunk: Buffer): void {
    const line = this.#byVertex.get(vertex);
    if (line === undefined) return;
    const text = chunk.toString('utf8');
    if (!line.ran) line.output.push({ stream: ' ---> Running\n' });
    line.ran = true;
    const document = { stream: stream === 'stderr' ? `\u001b[91m${text}\u001b[0m` : text };
    line.output.push(document);
    if (this.#lines[this.#next] === line) this.#flushOutput(line);
  }

  done(
    vertex: Vertex,
    outcome: { readonly cached: boolean; readonly error?: unknown; readonly result?: Result },
  ): void {
    if (outcome.result?.kind === 'tree') this.#trees.set(vertex, outcome.result.tree);
    const line = this.#byVertex.get(vertex);
    if (line === undefined) return;
    if (outcome.error !== undefined) {
      this.#failed ??= line;
      this.#flush(line);
      return;
    }
    line.state = 'done';
    line.cached = outcome.cached;
    if (outcome.result?.kind === 'tree') line.id = outcome.result.tree.chainId.replace('sha256:', '').slice(0, SHORT);
    this.#advance();
  }

  /** What a vertex has come to. */
  treeOf(base: Base): Tree | undefined {
    return base === undefined ? EMPTY_TREE : this.#trees.get(base);
  }

  /** The ids of the stages below the target. */
  stages(ids: readonly string[]): void {
    for (const ID of ids) this.#write({ aux: { ID } });
  }

  /** The instruction that failed. */
  get failed(): (FailedLine & { readonly location: LineRange }) | undefined {
    return this.#failed;
  }

  /**
   * The last words of a build that went well.
   * @param leftover build arguments that nothing asked for
   */
  finish(id: string, names: readonly string[], leftover: readonly string[]): void {
    this.#write({ aux: { ID: id } });
    if (leftover.length > 0) {
      this.#write({ stream: `[Warning] One or more build-args [${leftover.join(' ')}] were not consumed\n` });
    }
    this.#write({ stream: `Successfully built ${id.replace('sha256:', '').slice(0, SHORT)}\n` });
    for (const name of names) this.#write({ stream: `Successfully tagged ${name}\n` });
  }

  #line(text: string, vertex: Vertex | undefined, location: LineRange): Line {
    return {
      ...{ text, vertex, location, isFrom: false, triggers: 0 },
      ...{ state: 'waiting', id: '', cached: false, ran: false, output: [] },
    };
  }

  /** Tells everything that can be told in order. */
  #advance(): void {
    for (;;) {
      const line = this.#lines[this.#next];
      if (line === undefined) return;
      if (line.vertex !== undefined && line.state === 'waiting') return;
      this.#announce(line);
      this.#flushOutput(line);
      if (line.vertex !== undefined && line.state !== 'done') return;
      if (line.isFrom) this.#allCached = this.#mayUseCache;
      else if (line.vertex !== undefined && !line.cached) this.#allCached = false;
      // An instruction without files of its own counts as cached when all before it in its stage did.
      if (!line.isFrom && this.#allCached) this.#write({ stream: ' ---> Using cache\n' });
      if (line.id !== '') this.#write({ stream: ` ---> ${line.id}\n` });
      this.#next += 1;
    }
  }

  /** A step failed: its words must not wait for those before it, which may never come. */
  #flush(line: Line): void {
    this.#announce(line);
    this.#flushOutput(line);
  }

  #announce(line: Line): void {
    const index = this.#lines.indexOf(line);
    if (index <= this.#announced) return;
    this.#announced = index;
    this.#write({ stream: `Step ${index + 1}/${this.#lines.length} : ${line.text}` });
    this.#write({ stream: '\n' });
    const { triggers } = line;
    if (triggers > 0) this.#write({ stream: `# Executing ${triggers} build trigger${triggers > 1 ? 's' : ''}\n` });
  }

  #flushOutput(line: Line): void {
    for (const document of line.output.splice(0)) this.#write(document);
  }
}
