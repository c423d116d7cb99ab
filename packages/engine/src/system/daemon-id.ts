import { randomUUID } from 'node:crypto';
import type { Store } from '@wharf/store';

/** The id this daemon keeps for ever, made at its first start. */
export function daemonId(store: Store): string {
  const table = store.table<string>('daemon');
  const known = table.get('id');
  if (known !== undefined) return known;
  const id = randomUUID();
  table.put('id', id);
  return id;
}
