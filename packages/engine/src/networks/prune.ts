import { type Filters, formatRfc3339Nano, parseGoDuration, parseRfc3339, WharfError } from '@wharf/kit';

/** The time before which networks are pruned, comparable with `createdAt`; `undefined` without an `until` filter. */
export function pruneCutoff(filters: Filters, nowNs: bigint): string | undefined {
  const values = filters.get('until') ?? [];
  if (values.length > 1) throw new WharfError('invalid-argument', 'more than one until filter specified');
  const [value] = values;
  if (value === undefined) return undefined;
  if (/^\d+(?:\.\d+)?$/.test(value)) return formatRfc3339Nano(BigInt(Math.floor(Number(value))) * 1_000_000_000n);
  return formatRfc3339Nano(parseRfc3339(value) ?? nowNs - parseGoDuration(value));
}
