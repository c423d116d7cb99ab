import { StoreState } from './state.ts';
import type { Store } from './store.ts';

/** A store that forgets everything at the end, for tests. Same semantics as the durable one. */
export function openMemoryStore(): Store {
  return new StoreState({
    load: () => ({ changes: [], lastRevision: 0 }),
    write: async () => {},
    close: () => {},
  });
}
