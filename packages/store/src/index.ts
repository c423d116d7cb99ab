export { openMemoryStore } from './memory.ts';
export { openStore } from './sqlite/open.ts';
export type { Entry, Log, LogEntry, PutOptions, RangeOptions, Store, Table } from './store.ts';
