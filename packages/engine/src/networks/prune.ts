import { type Filters, formatRfc3339Nano, parseGoDuration, parseRfc3339, WharfError } from '@wharf/kit';

/** The time before which networks are pruned, comparable with `createdAt`; `undefined` without an `until` filter. */
export function pruneCutoff(filters: Filters, nowNs: bigint): string | undefined {
  const values = filters.get('until') ?? [];
  if (values.length > 1) throw new WharfError('invalid-argument', 'more than one until filter specified');
  const [value] = values;
  if (value === undefined) return undefined;
  const [, seconds, fraction = ''] = /^(\d+)(?:\.(\d{1,9}))?$/.exec(value) ?? [];
  if (seconds !== undefined) {
    return formatRfc3339Nano(BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0')));
  }
  return formatRfc3339Nano(parseRfc3339(value) ?? nowNs - parseGoDuration(value));
}
