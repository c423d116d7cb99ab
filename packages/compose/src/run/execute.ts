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
  /** Does a step, and then all that became possible by it. */
  const follow = async (step: Step): Promise<void> => {
    if (all.aborted) return;
    try {
      await run(step, all);
    } catch (error) {
      failures.push(error);
      stop.abort(new Error('another step failed'));
      return;
    }
    const ready = (dependents.get(step.id) ?? []).filter((next) => {
      const left = (open.get(next.id) ?? 1) - 1;
      open.set(next.id, left);
      return left === 0;
    });
    await Promise.all(ready.map(follow));
  };
  await Promise.all(steps.filter(({ needs }) => needs.length === 0).map(follow));
  if (failures.length > 0) throw failures[0];
  signal?.throwIfAborted();
}
