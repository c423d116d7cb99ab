import type { Step } from '../plan/steps.ts';

export interface Execution {
  /** Does one step. Its signal aborts when another step failed or the caller gave up. */
  readonly run: (step: Step, signal: AbortSignal) => Promise<void>;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Does the steps, each as soon as those it needs are over. After a failure none begins any more, and what only waits is told to
 * end; what is under way is let finish, so that the state is known. Throws the first failure.
 */
export async function execute(steps: readonly Step[], { run, signal }: Execution): Promise<void> {
  const stop = new AbortController();
  const all = AbortSignal.any(signal === undefined ? [stop.signal] : [stop.signal, signal]);
  const dependents = new Map<string, Step[]>();
  const open = new Map<string, number>();
  for (const step of steps) {
    open.set(step.id, step.needs.length);
    for (const need of step.needs) dependents.set(need, [...(dependents.get(need) ?? []), step]);
  }
  const failures: unknown[] = [];
  const running = new Set<Promise<void>>();
  const begin = (step: Step): void => {
    if (all.aborted) return;
    const work = run(step, all).then(
      () => {
        for (const next of dependents.get(step.id) ?? []) {
          const left = (open.get(next.id) ?? 1) - 1;
          open.set(next.id, left);
          if (left === 0) begin(next);
        }
      },
      (error: unknown) => {
        failures.push(error);
        stop.abort(new Error('another step failed'));
      },
    );
    running.add(work);
    void work.finally(() => running.delete(work));
  };
  for (const step of steps) if (step.needs.length === 0) begin(step);
  while (running.size > 0) await Promise.all(running);
  if (failures.length > 0) throw failures[0];
  signal?.throwIfAborted();
}
