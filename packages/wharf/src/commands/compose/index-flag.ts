import type { FlagTable } from '../../cli/flags.ts';

/** `--index`: which of a service's replicas. */
export const INDEX_FLAG = {
  index: { kind: 'int', default: 0, help: 'Index of the container if service has multiple replicas' },
} as const satisfies FlagTable;
