export { openMemoryStore } from './memory.ts';
export { openStore } from './sqlite/open.ts';
export type { Entry, PutOptions, Store, Table } from './store.ts';
