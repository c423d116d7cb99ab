import type { ObservedContainer } from './observed.ts';

export interface Replicas {
  readonly kept: readonly {
    readonly container: ObservedContainer /** Why it is made anew. */;
    readonly diverged?: string;
  }[];
  readonly removed: readonly { readonly container: ObservedContainer; readonly reason: string }[];
  /** Numbers of containers to create. */
  readonly fresh: readonly number[];
}

/**
 * Which of a service's containers stay, go, and are missing. Those in order are kept before those that are not, low
 * numbers before high ones. Of two with one number (a replacement that was cut off) the better stays.
 */
export function assignReplicas(
  containers: readonly ObservedContainer[],
  expected: number,
  options: {
    readonly diverged: (container: ObservedContainer) => string | undefined;
    /** Half-made replacements that never were in force. */
    readonly discarded: (container: ObservedContainer) => boolean;
    readonly finalName: (number: number) => string;
  },
): Replicas {
  const removed: { container: ObservedContainer; reason: string }[] = [];
  const states = containers.map((container) => ({ container, reason: options.diverged(container) }));
  const byNumber = new Map<number, typeof states>();
  for (const state of states) {
    if (options.discarded(state.container)) {
      removed.push({ container: state.container, reason: 'it is what is left of an update that was cut off' });
      continue;
    }
    byNumber.set(state.container.number, [...(byNumber.get(state.container.number) ?? []), state]);
  }
  const best = [...byNumber.values()].map((same) => {
    const [first, ...others] = same.toSorted(
      (a, b) =>
        Number(a.reason !== undefined) - Number(b.reason !== undefined) ||
        b.container.createdAt - a.container.createdAt,
    );
    for (const { container } of others) removed.push({ container, reason: 'another container took its place' });
    return first as (typeof states)[number];
  });
  const sorted = best.toSorted(
    (a, b) =>
      Number(a.reason !== undefined) - Number(b.reason !== undefined) || a.container.number - b.container.number,
  );
  const kept = sorted.slice(0, expected);
  for (const { container } of sorted.slice(expected)) removed.push({ container, reason: `the scale is ${expected}` });
  const highest = Math.max(0, ...containers.map(({ number }) => number));
  return {
    kept: kept.map(({ container, reason }) => ({ container, ...(reason === undefined ? {} : { diverged: reason }) })),
    removed,
    fresh: Array.from({ length: expected - kept.length }, (_none, index) => highest + 1 + index),
  };
}
