import { StoreState } from './state.ts';
import type { Store } from './store.ts';

/** A store that forgets everything at the end, for tests. Same semantics as the durable one. */
export function openMemoryStore(): Store {
  const logs = new Map<string, { readonly number: number; readonly json: string }[]>();
  return new StoreState({
    load: () => ({ changes: [], lastRevision: 0, logs: new Map() }),
    readLog: (log, after, limit) => (logs.get(log) ?? []).filter(({ number }) => number > after).slice(0, limit),
    write: async ({ appended, trims }) => {
      for (const { log, number, json } of appended) logs.set(log, [...(logs.get(log) ?? []), { number, json }]);
      for (const { log, upTo } of trims)
        logs.set(
          log,
          (logs.get(log) ?? []).filter(({ number }) => number > upTo),
        );
    },
    close: () => {},
  });
}
