import type { StatusMessage, TimestampMessage, VertexMessage } from '@wharf/builder/buildkit/messages';
import { KEPT_LINES, MAX_LINE_LENGTH } from './limits.ts';

/** The id of the status in which our daemon says why a step came from the cache or not. */
export const EXPLANATION = 'wharf.explanation';

/** A line of a step's output. */
export interface OutputLine {
  /** Milliseconds since the step began. */
  readonly atMs: number;
  readonly text: string;
}

/** Something that goes on within a step: a transfer, a pull. */
export interface Part {
  readonly id: string;
  readonly current: number;
  readonly total: number;
  readonly startedAt: number | undefined;
  readonly completedAt: number | undefined;
}

/** A step as it stands. Times are milliseconds since 1970. */
export interface Step {
  readonly digest: string;
  readonly name: string;
  readonly startedAt: number | undefined;
  readonly completedAt: number | undefined;
  readonly cached: boolean;
  readonly error: string;
  readonly parts: ReadonlyMap<string, Part>;
  /** The last of what it wrote. */
  readonly lines: readonly OutputLine[];
  readonly explanation: string;
  /** Output after the last line break: how far a program is that writes over its own line. */
  readonly rest: string;
}

/** What a message changed, in order. */
export type Change =
  | { readonly kind: 'started' | 'completed'; readonly step: Step }
  | { readonly kind: 'part'; readonly step: Step; readonly part: Part }
  | { readonly kind: 'output'; readonly step: Step; readonly atMs: number; readonly data: Buffer };

interface MutableStep {
  digest: string;
  name: string;
  startedAt: number | undefined;
  completedAt: number | undefined;
  cached: boolean;
  error: string;
  parts: Map<string, Part>;
  lines: OutputLine[];
  explanation: string;
  rest: string;
}

/** What is known of a build, from the messages in which the daemon tells of it. */
export class BuildModel {
  readonly #steps = new Map<string, MutableStep>();
  readonly #warnings: string[] = [];

  /** What the checks of the Dockerfile have found, with the lines. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  /** Steps in the order in which they were heard of. */
  get steps(): readonly Step[] {
    return [...this.#steps.values()];
  }

  /** Takes a message; returns what it changed. */
  update({ vertexes = [], statuses = [], logs = [], warnings = [] }: StatusMessage): readonly Change[] {
    for (const { short } of warnings) this.#warnings.push(Buffer.from(short).toString('utf8'));
    const changes: Change[] = [];
    for (const vertex of vertexes) changes.push(...this.#vertex(vertex));
    for (const status of statuses) {
      const step = this.#step(status.vertex);
      if (status.ID === EXPLANATION) {
        step.explanation = status.name ?? '';
        continue;
      }
      const part: Part = {
        id: status.ID,
        current: status.current ?? 0,
        total: status.total ?? 0,
        startedAt: millis(status.started),
        completedAt: millis(status.completed),
      };
      step.parts.set(status.ID, part);
      changes.push({ kind: 'part', step, part });
    }
    for (const { vertex, timestamp, msg } of logs) {
      const step = this.#step(vertex);
      const at = millis(timestamp) ?? 0;
      const atMs = Math.max(0, at - (step.startedAt ?? at));
      const data = Buffer.from(msg);
      keepLines(step, atMs, data);
      changes.push({ kind: 'output', step, atMs, data });
    }
    return changes;
  }

  #step(digest: string): MutableStep {
    let step = this.#steps.get(digest);
    if (step === undefined) {
      step = {
        ...{ digest, name: '', startedAt: undefined, completedAt: undefined, cached: false, error: '' },
        ...{ parts: new Map(), lines: [], explanation: '', rest: '' },
      };
      this.#steps.set(digest, step);
    }
    return step;
  }

  #vertex(vertex: VertexMessage): readonly Change[] {
    const step = this.#step(vertex.digest);
    if (vertex.name !== '') step.name = vertex.name;
    const startedAt = millis(vertex.started);
    const completedAt = millis(vertex.completed);
    const changes: Change[] = [];
    if (startedAt !== undefined && step.startedAt === undefined) {
      step.startedAt = startedAt;
      changes.push({ kind: 'started', step });
    }
    if (vertex.cached === true) step.cached = true;
    if (vertex.error !== undefined && vertex.error !== '') step.error = vertex.error;
    if (completedAt !== undefined && step.completedAt === undefined) {
      step.completedAt = completedAt;
      if (step.rest !== '') step.lines.push({ atMs: completedAt - (step.startedAt ?? completedAt), text: step.rest });
      step.rest = '';
      changes.push({ kind: 'completed', step });
    }
    return changes;
  }
}

function keepLines(step: MutableStep, atMs: number, data: Buffer): void {
  const lines = (step.rest + data.toString('utf8')).split('\n');
  step.rest = (lines.pop() ?? '').slice(-MAX_LINE_LENGTH);
  for (const text of lines) step.lines.push({ atMs, text: text.slice(0, MAX_LINE_LENGTH) });
  if (step.lines.length > KEPT_LINES) step.lines.splice(0, step.lines.length - KEPT_LINES);
}

/** A time that is absent, or Go's zero time, is none. */
function millis(time: TimestampMessage | undefined): number | undefined {
  return time === undefined || time.seconds <= 0 ? undefined : time.seconds * 1000 + time.nanos / 1e6;
}

/** A time as the daemon tells it. */
export function timestampOf(ms: number): TimestampMessage {
  const seconds = Math.floor(ms / 1000);
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1e6) };
}
