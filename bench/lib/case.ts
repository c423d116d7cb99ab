import type { Contestant } from './contestant.ts';

/** One figure of a case. */
export interface Metric {
  readonly name: string;
  readonly title: string;
  readonly unit: 'ms' | 'MiB' | 'count' | 'times';
  /** The promise: at most so many times the peer's value … */
  readonly maxRatio?: number;
  /** … or at most so much, in the metric's unit. */
  readonly maxValue?: number;
}

/** How large a case is; `--quick` makes it smaller. */
export interface Scale {
  readonly quick: boolean;
}

/**
 * Something both daemons do. Each round runs on both, one after the other, the first to go changing with the round; nothing else runs
 * meanwhile.
 */
export interface Case {
  readonly name: string;
  readonly metrics: readonly Metric[];
  rounds(scale: Scale): number;
  /** Before the first round; its result is handed to every round. */
  prepare?(contestant: Contestant, scale: Scale): Promise<void>;
  /** One round: values by metric name. */
  round(contestant: Contestant, scale: Scale): Promise<Readonly<Record<string, number>>>;
  cleanUp?(contestant: Contestant): Promise<void>;
}

/** Milliseconds that `work` takes. */
export async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Runs the tasks, so many at a time. */
export async function pooled(width: number, tasks: readonly (() => Promise<unknown>)[]): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let task = tasks[next++]; task !== undefined; task = tasks[next++]) await task();
  };
  await Promise.all(Array.from({ length: width }, worker));
}
