import { type Filters, formatRfc3339Nano, WharfError } from '@wharf/kit';
import { parseTimestamp } from '../images/timestamp.ts';

/** The time before which networks and containers are pruned, comparable with `createdAt`; `undefined` without an `until` filter. */
export function pruneCutoff(filters: Filters, nowNs: bigint): string | undefined {
  const values = filters.get('until') ?? [];
  if (values.length > 1) throw new WharfError('invalid-argument', 'more than one until filter specified');
  const [value] = values;
  return value === undefined ? undefined : formatRfc3339Nano(parseTimestamp(value, nowNs, 'until'));
}
