import { goTimeFromJson } from '../term/go-time.ts';
import type { RowKind } from '../term/rows.ts';
import { shortId } from '../term/short-text.ts';
import { humanSize, since } from '../term/units.ts';
import { type CacheRecord, reclaimableText, type UsageRow } from './usage.ts';

/** The columns of `system df`. */
export const USAGE_KIND: RowKind<UsageRow> = {
  goType: '*formatter.diskUsageImagesContext',
  columns: {
    Type: { header: 'TYPE', value: ({ type }) => type },
    TotalCount: { header: 'TOTAL', value: ({ total }) => String(total) },
    Active: { header: 'ACTIVE', value: ({ active }) => String(active) },
    Size: { header: 'SIZE', value: ({ bytes }) => humanSize(bytes) },
    Reclaimable: { header: 'RECLAIMABLE', value: reclaimableText },
  },
};

/** The columns of the build cache's entries in `system df -v`. */
export function cacheRows(trunc: boolean): RowKind<CacheRecord> {
  const cut = (id: string) => (trunc ? shortId(id) : id);
  const ago = (time: string | null | undefined) => (time ? since(Date.parse(time) / 1000) : '');
  return {
    goType: '*formatter.buildCacheContext',
    columns: {
      ID: { header: 'CACHE ID', value: ({ ID, InUse }) => `${cut(ID)}${InUse ? '*' : ''}` },
      Parent: {
        header: 'PARENT',
        value: ({ Parent = '', Parents }) => cut(Parents?.length ? Parents.join(', ') : Parent),
      },
      CacheType: { header: 'CACHE TYPE', value: ({ Type }) => Type },
      Size: { header: 'SIZE', value: ({ Size }) => humanSize(Size, 3) },
      CreatedSince: { header: 'CREATED', value: ({ CreatedAt }) => ago(CreatedAt) },
      LastUsedSince: { header: 'LAST USED', value: ({ LastUsedAt }) => ago(LastUsedAt) },
      UsageCount: { header: 'USAGE', value: ({ UsageCount }) => String(UsageCount) },
      InUse: { header: 'IN USE', value: ({ InUse }) => String(InUse) },
      Shared: { header: 'SHARED', value: ({ Shared }) => String(Shared) },
      Description: { header: 'DESCRIPTION', value: ({ Description }) => Description },
      CreatedAt: { value: ({ CreatedAt }) => goTimeFromJson(CreatedAt) },
      LastUsedAt: { value: ({ LastUsedAt }) => (LastUsedAt ? goTimeFromJson(LastUsedAt) : '') },
    },
  };
}

/** Entries by their last use, those never used first. */
export function sortCache(records: readonly CacheRecord[]): readonly CacheRecord[] {
  const time = ({ LastUsedAt }: CacheRecord) => (LastUsedAt ? Date.parse(LastUsedAt) : -Infinity);
  return records.toSorted((left, right) => {
    const [one, other] = [time(left), time(right)];
    return one === other ? (left.ID < right.ID ? -1 : 1) : one - other;
  });
}
