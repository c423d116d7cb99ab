import { createHash } from 'node:crypto';
import { messageOf } from '@wharf/kit';
import type { Platform } from '@wharf/oci/spec/image';
import { formatPlatform } from '@wharf/oci/spec/platform';
import { type Finding, formatFinding } from '../checks/checks.ts';
import { MAX_BUILD_LOG_BYTES, MAX_STEP_LOG_BYTES } from '../history/limits.ts';
import type { RecordSteps } from '../history/record.ts';
import type { BuildPlan } from '../plan/plan.ts';
import type { EvaluatedStage } from '../plan/stage.ts';
import type { Vertex } from '../plan/vertex.ts';
import { inputsOf, type SolveObserver } from '../solver/solver.ts';
import type { StatusMessage, TimestampMessage, VertexMessage } from './messages.ts';

/** How the name of the vertex begins that reads the Dockerfile. */
const LOADING = '[internal] load build definition';
/** The id of a part that explains its step. */
export const EXPLANATION = 'wharf.explanation';
const STREAMS = { stdout: 1, stderr: 2 } as const;

/** What happened in a build, in BuildKit's messages; kept, so that who asks late sees all of it. */
export class Progress implements SolveObserver {
  readonly #id: string;
  readonly #messages: StatusMessage[] = [];
  readonly #names = new Map<Vertex, string>();
  readonly #vertices = new Map<string, VertexMessage>();
  readonly #digests = new Map<Vertex, string>();
  /** Bytes that each vertex has written. */
  readonly #logged = new Map<string, number>();
  #loggedBytes = 0;
  #ended = false;
  #wake: (() => void)[] = [];

  constructor(id: string) {
    this.#id = id;
  }

  /** Gives the vertices of plans their names: `[stage 2/3] RUN …`, with the platform in front where there are several. */
  plan(plans: readonly BuildPlan[]): void {
    for (const plan of plans) this.#plan(plan, plans.length > 1);
  }

  #plan(plan: BuildPlan, isOneOfSeveral: boolean): void {
    for (const evaluated of plan.stages) {
      const { stage, steps, image } = evaluated;
      const trees = steps.filter(({ makesTree }) => makesTree);
      const total = trees.length + (image === undefined ? 0 : 1);
      const platform = isOneOfSeveral ? platformPrefix(evaluated, plan.platform) : '';
      const prefix = platform + (plan.isSingle ? '' : `${stage.name} `);
      let index = 0;
      const name = (vertex: Vertex, text: string): void => {
        index += 1;
        const at = `${prefix}${String(index).padStart(String(total).length)}/${total}`;
        if (!this.#names.has(vertex)) this.#names.set(vertex, `[${at}] ${text}`);
      };
      if (image !== undefined) name(image, image.name);
      for (const { result, title } of trees) if (result !== undefined) name(result, oneLine(title));
    }
  }

  started(vertex: Vertex): void {
    const inputs = inputsOf(vertex).flatMap((input) => (input === undefined ? [] : this.#digest(input)));
    this.#vertex({ digest: this.#digest(vertex), inputs, name: this.#name(vertex), started: now() });
  }

  output(vertex: Vertex, stream: 'stdout' | 'stderr', chunk: Buffer): void {
    const digest = this.#digest(vertex);
    const before = this.#logged.get(digest) ?? 0;
    const room = Math.min(MAX_STEP_LOG_BYTES - before, MAX_BUILD_LOG_BYTES - this.#loggedBytes);
    this.#logged.set(digest, before + chunk.length);
    this.#loggedBytes += Math.min(chunk.length, Math.max(0, room));
    if (room >= chunk.length) this.#line(digest, stream, chunk);
    else if (room >= 0 && before <= MAX_STEP_LOG_BYTES) {
      const clipped = `\n[output clipped, log limit ${MAX_STEP_LOG_BYTES / 1024 ** 2}MiB reached]\n`;
      this.#line(digest, stream, Buffer.concat([chunk.subarray(0, room), Buffer.from(clipped)]));
      // So that it is said once.
      this.#logged.set(digest, MAX_STEP_LOG_BYTES + 1);
    }
  }

  #line(vertex: string, stream: 'stdout' | 'stderr', msg: Buffer): void {
    this.#add({ logs: [{ vertex, timestamp: now(), stream: STREAMS[stream], msg }] });
  }

  done(vertex: Vertex, outcome: { readonly cached: boolean; readonly error?: unknown }): void {
    const { cached, error } = outcome;
    this.#end(this.#digest(vertex), { cached, ...(error === undefined ? {} : { error: messageOf(error) }) });
  }

  /** Why a step runs or not, as a part of it that `wharf build --explain` knows by this id. */
  explain(vertex: Vertex, text: string): void {
    const at = now();
    const status = { ID: EXPLANATION, vertex: this.#digest(vertex), name: text, timestamp: at, started: at };
    this.#add({ statuses: [{ ...status, completed: now() }] });
  }

  /** How much of a client's directory came for a step: `transferring context: 2MB`. */
  transferred(context: string, bytes: number): void {
    const vertex = [...this.#digests.keys()].find((each) => each.kind === 'context' && each.context === context);
    if (vertex === undefined) return;
    const digest = this.#digest(vertex);
    const at = { timestamp: now(), started: this.#vertices.get(digest)?.started ?? now(), completed: now() };
    const status = { ID: `transferring ${context}:`, vertex: digest, name: 'transferring', current: bytes };
    this.#add({ statuses: [{ ...status, ...at }] });
  }

  /** Work beside the graph, as a vertex of its own; its parts are shown below it. */
  async step<T>(
    name: string,
    work: (part: <U>(name: string, work: () => Promise<U>) => Promise<U>) => Promise<T>,
  ): Promise<T> {
    const digest = digestOf(`${this.#id} ${name} ${this.#vertices.size}`);
    this.#vertex({ digest, name, started: now() });
    try {
      const result = await work((ID, inner) => this.#part(digest, ID, inner));
      this.#end(digest, {});
      return result;
    } catch (error) {
      this.#end(digest, { error: messageOf(error) });
      throw error;
    }
  }

  async #part<T>(vertex: string, ID: string, work: () => Promise<T>): Promise<T> {
    const started = now();
    this.#add({ statuses: [{ ID, vertex, timestamp: started, started }] });
    const result = await work();
    this.#add({ statuses: [{ ID, vertex, timestamp: now(), started, completed: now() }] });
    return result;
  }

  /** What the checks of a Dockerfile found, as warnings of the vertex that loaded it. */
  warn(findings: readonly Finding[], source: { readonly filename: string; readonly text: string }): void {
    const [vertex] = [...this.#vertices.values()]
      .filter(({ name }) => name.startsWith(LOADING))
      .map(({ digest }) => digest);
    if (vertex === undefined || findings.length === 0) return;
    const info = { filename: source.filename, data: Buffer.from(source.text), language: 'Dockerfile' };
    const warnings = findings.map((finding) => ({
      ...{ vertex, level: 1, short: Buffer.from(formatFinding(finding)), url: finding.rule.url, info },
      detail: [Buffer.from(finding.rule.description)],
      ranges: [{ start: { line: finding.location.start }, end: { line: finding.location.end } }],
    }));
    this.#add({ warnings });
  }

  /** How many steps there were until now. */
  get steps(): RecordSteps {
    const vertices = [...this.#vertices.values()];
    return {
      total: vertices.length,
      cached: vertices.filter(({ cached }) => cached === true).length,
      completed: vertices.filter(({ completed }) => completed !== undefined).length,
      warnings: this.#messages.reduce((count, { warnings }) => count + (warnings?.length ?? 0), 0),
    };
  }

  /** The vertex of the first step that failed, for clients that show its log again. */
  get failed(): string | undefined {
    return [...this.#vertices.values()].find(({ error }) => error !== undefined)?.digest;
  }

  /** All there was until now. */
  get messages(): readonly StatusMessage[] {
    return this.#messages;
  }

  /** No more will come. */
  finish(): void {
    this.#ended = true;
    this.#tell();
  }

  /** Everything from the beginning, then what comes, until the end. */
  async *follow(signal: AbortSignal): AsyncGenerator<StatusMessage> {
    for (let at = 0; !signal.aborted; ) {
      const message = this.#messages[at];
      if (message !== undefined) {
        at += 1;
        yield message;
        continue;
      }
      if (this.#ended) return;
      await new Promise<void>((resolve) => {
        this.#wake.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  #vertex(vertex: VertexMessage): void {
    this.#vertices.set(vertex.digest, vertex);
    this.#add({ vertexes: [vertex] });
  }

  #end(digest: string, outcome: Pick<VertexMessage, 'cached' | 'error'>): void {
    const begun = this.#vertices.get(digest);
    if (begun !== undefined) this.#vertex({ ...begun, ...outcome, completed: now() });
  }

  #add(message: StatusMessage): void {
    this.#messages.push(message);
    this.#tell();
  }

  #tell(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }

  #name(vertex: Vertex): string {
    return this.#names.get(vertex) ?? oneLine(vertex.name);
  }

  #digest(vertex: Vertex): string {
    let digest = this.#digests.get(vertex);
    if (digest === undefined) {
      digest = digestOf(`${this.#id} vertex ${this.#digests.size}`);
      this.#digests.set(vertex, digest);
    }
    return digest;
  }
}

/** `linux/amd64->arm64 ` of a stage that runs on one platform and is told of another. */
function platformPrefix({ draft, buildArgs }: EvaluatedStage, target: Platform): string {
  const own = formatPlatform(draft.platform);
  const isTold = buildArgs.some(([name]) => name === 'TARGETPLATFORM' || name === 'TARGETARCH');
  if (!isTold || own === formatPlatform(target)) return `${own} `;
  const { os, architecture, variant } = target;
  return `${own}->${os === draft.platform.os ? '' : `${os}/`}${[architecture, variant].filter(Boolean).join('/')} `;
}

function oneLine(text: string): string {
  const at = text.indexOf('\n');
  return at < 0 ? text : `${text.slice(0, at).trimEnd()} …`;
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}

function now(): TimestampMessage {
  const ms = Date.now();
  return { seconds: Math.floor(ms / 1000), nanos: (ms % 1000) * 1_000_000 };
}
