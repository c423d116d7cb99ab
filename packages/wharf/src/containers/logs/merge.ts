/** A line with what it is ordered by. */
export interface Timed {
  readonly time: string;
}

/** Lines of several logs, each in order, in the order of their times; of equal ones that of the earlier log comes first. */
export async function* mergeByTime<Line extends Timed>(
  logs: readonly AsyncIterable<Line>[],
): AsyncGenerator<Line, void, undefined> {
  const sources = logs.map((log) => log[Symbol.asyncIterator]());
  const heads = await Promise.all(sources.map((source) => source.next()));
  try {
    for (;;) {
      let first: number | undefined;
      for (const [index, head] of heads.entries()) {
        if (head.done === true) continue;
        const best = first === undefined ? undefined : heads[first];
        if (best === undefined || best.done === true || head.value.time < best.value.time) first = index;
      }
      const head = first === undefined ? undefined : heads[first];
      const source = first === undefined ? undefined : sources[first];
      if (first === undefined || source === undefined || head === undefined || head.done === true) return;
      yield head.value;
      heads[first] = await source.next();
    }
  } finally {
    await Promise.allSettled(sources.map(async (source) => source.return?.()));
  }
}
